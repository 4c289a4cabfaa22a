//go:build linux

package compatibility_test

import (
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

var versionNumber = regexp.MustCompile(`\d+\.\d+(\.\d+)?`)

// says takes the version from the first line that has one.
func says(words ...string) func(t testing.TB) string {
	return func(t testing.TB) string {
		t.Helper()
		out, _ := exec.Command(words[0], words[1:]...).CombinedOutput()
		return versionNumber.FindString(string(out))
	}
}

// versions are those of clients.
var versions = struct {
	dig, kdig, delv, drill, host, nslookup, golang, glibc, musl, node func(t testing.TB) string
}{
	dig:      says("dig", "-v"),
	kdig:     says("kdig", "--version"),
	delv:     says("delv", "-v"),
	drill:    says("drill", "-v"),
	host:     says("host", "-V"),
	nslookup: says("nslookup", "-version"),
	golang:   func(testing.TB) string { return strings.TrimPrefix(runtime.Version(), "go") },
	glibc:    says("getent", "--version"),
	musl:     says("sh", "-c", "/lib/ld-musl-*.so.1"),
	node:     says("node", "--version"),
}
