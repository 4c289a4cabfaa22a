package documents_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// run runs a program of the repository in its root.
func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	if !filepath.IsAbs(program) && strings.Contains(program, "/") {
		program, _ = filepath.Abs(filepath.Join(root, program))
	}
	var out, said bytes.Buffer
	c := exec.Command(program, args...)
	c.Dir, c.Stdout, c.Stderr = root, &out, &said
	if err := c.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", program, strings.Join(args, " "), err, &out, &said)
	}
	return out.String()
}

// shownCommand finds the arguments of `go run ./cmd/NAME ...` and of what such a
// build is called.
func shownCommand(code, name string) (args []string, found bool) {
	for _, start := range []string{"go run ./cmd/" + name, "./" + name, name} {
		if rest, ok := strings.CutPrefix(code, start); ok && (rest == "" || rest[0] == ' ') {
			rest, _, _ = strings.Cut(rest, " #")
			rest, _, _ = strings.Cut(rest, " | ")
			rest, _, _ = strings.Cut(rest, " >")
			return strings.Fields(rest), true
		}
	}
	return nil, false
}

// TestEveryCommandOfTheOperatorsToolIsOne has the real program parse the flags
// that the documents show.
func TestEveryCommandOfTheOperatorsToolIsOne(t *testing.T) {
	tool := filepath.Join(t.TempDir(), "ede")
	run(t, "go", "build", "-o", tool, "./cmd/ede")
	commands, tried := []string{"explain", "report", "check", "causes", "rollup"}, 0
	for _, d := range documents(t) {
		for _, code := range d.code() {
			args, found := shownCommand(code, "ede")
			if !found || len(args) == 0 || strings.HasPrefix(args[0], "[") || strings.Contains(code, "{") {
				continue // the directive, whose grammar other tests hold
			}
			// In running text `ede report` is the tool, `ede full` would be none.
			if !slices.Contains(commands, args[0]) {
				if strings.Contains(code, "cmd/ede") {
					t.Errorf("%s: `%s`: there is no such command", d.path, code)
				}
				continue
			}
			tried++
			asked := slices.DeleteFunc(slices.Clone(args), func(a string) bool { return strings.HasPrefix(a, "[") })
			if out, err := exec.Command(tool, append(asked, "--help")...).CombinedOutput(); err != nil {
				t.Errorf("%s: `%s`: %v: %s", d.path, code, err, out)
			}
		}
	}
	if tried < 5 {
		t.Errorf("%d commands are found", tried)
	}
}

func TestEveryConfOfCoreDNSExists(t *testing.T) {
	tried := 0
	for _, d := range documents(t) {
		for _, code := range d.code() {
			args, _ := shownCommand(code, "coredns")
			if i := slices.Index(args, "-conf"); i >= 0 && strings.Contains(code, "cmd/coredns") {
				tried++
				if _, err := os.Stat(filepath.Join(root, args[i+1])); err != nil {
					t.Errorf("%s: `%s`: %v", d.path, code, err)
				}
			}
		}
	}
	if tried == 0 {
		t.Error("no document starts CoreDNS")
	}
}
