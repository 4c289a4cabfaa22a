// Package build_test tests the scripts that make a CoreDNS with ede.
package build_test

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// program returns the path of a program that a test needs. On a machine
// without it the test is skipped, in CI it fails.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s: %v", name, err)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// absolute returns the path of a file of the repository.
func absolute(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(filepath.Join("..", "..", filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

func TestBuildRefusesVersionsThatDoNotFit(t *testing.T) {
	for version, reason := range map[string]string{
		"1.13.2":  "1.13.2 is too old",
		"v1.9.4":  "1.9.4 is too old",
		"1.14.5":  "1.14.5 is too old",
		"1.16.0":  "1.16.0 is too new",
		"latest":  "not a version of CoreDNS",
		"1.15":    "not a version of CoreDNS",
		"..":      "not the source of CoreDNS",
		"1.15.99": "the module proxy gives no CoreDNS 1.15.99: github.com",
	} {
		t.Run(version, func(t *testing.T) {
			out, err := exec.Command(program(t, "bash"), absolute(t, "deploy/build.sh"), version).CombinedOutput()
			if err == nil || !strings.Contains(string(out), reason) {
				t.Errorf("error %v, output %q, want a refusal with %q", err, out, reason)
			}
		})
	}
}

func TestBuildRefusesAPluginCfgWithoutAPlace(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "own.cfg"), []byte("cache:cache\nlog:log\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program(t, "bash"), absolute(t, "deploy/build.sh"))
	c.Dir = dir
	c.Env = append(os.Environ(), "PLUGIN_CFG=own.cfg")
	out, err := c.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "ede does not fit into own.cfg") {
		t.Errorf("error %v, output %q", err, out)
	}
}

// run runs a command and returns what it printed.
func run(t *testing.T, dir, path string, args ...string) string {
	t.Helper()
	c := exec.Command(path, args...)
	c.Dir = dir
	var failed bytes.Buffer
	c.Stderr = &failed
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", path, strings.Join(args, " "), err, out, &failed)
	}
	return string(out)
}

// clones returns two clones of what the work tree holds now, in folders of
// different depth, both at the same commit.
func clones(t *testing.T) (first, second, commit string) {
	t.Helper()
	git := program(t, "git")
	dir := t.TempDir()
	first, second = filepath.Join(dir, "first"), filepath.Join(dir, "some", "where", "else")
	if err := os.Mkdir(first, 0o700); err != nil {
		t.Fatal(err)
	}
	files := strings.Split(strings.TrimSuffix(run(t, absolute(t, ""), git, "ls-files", "-z", "--cached", "--others", "--exclude-standard",
		"*.go", "go.mod", "go.sum", "plugin", "deploy"), "\x00"), "\x00")
	for _, f := range files {
		b, err := os.ReadFile(absolute(t, f))
		if os.IsNotExist(err) {
			continue
		}
		info, statErr := os.Stat(absolute(t, f))
		if err != nil || statErr != nil {
			t.Fatal(err, statErr)
		}
		to := filepath.Join(first, f)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, b, info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	run(t, first, git, "init", "-q")
	run(t, first, git, "add", "-A")
	run(t, first, git, "-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "-q", "-m", "test")
	run(t, dir, git, "clone", "-q", first, second)
	return first, second, strings.TrimSpace(run(t, first, git, "rev-parse", "HEAD"))
}

func TestABuildHasEdeAndIsTheSameFromEveryFolder(t *testing.T) {
	if os.Getenv("CI") != "true" {
		t.Skip("compiles all of CoreDNS once more, which takes minutes: CI=true runs it")
	}
	bash := program(t, "bash")
	first, second, commit := clones(t)
	said := run(t, first, bash, "deploy/build.sh", "1.15.0", "coredns-1")
	want := regexp.MustCompile(`CoreDNS 1\.15\.0, ede after dnstap, ede v0\.0\.0-\d{14}-` + commit[:12] + " at " + commit + ", go1")
	if !want.MatchString(said) {
		t.Errorf("the build says %q, want %s", said, want)
	}
	run(t, t.TempDir(), bash, filepath.Join(second, "deploy", "build.sh"), "v1.15.0", filepath.Join(second, "coredns-2"))

	path := filepath.Join(first, "coredns-1")
	one, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	two, err := os.ReadFile(filepath.Join(second, "coredns-2"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one, two) {
		t.Error("two clones of one commit give different bytes")
	}
	if plugins := run(t, first, path, "-plugins"); !slices.Contains(strings.Fields(plugins), "ede") {
		t.Errorf("-plugins does not have ede:\n%s", plugins)
	}
	saysWhatItIs(t, path, commit)

	if err := os.WriteFile(filepath.Join(first, "changed.go"), []byte("package ede\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := run(t, first, bash, "deploy/build.sh", "1.15.0", "coredns-3"); !strings.Contains(said, commit+"-dirty") {
		t.Errorf("a build of what is not committed says %q", said)
	}
}

// saysWhatItIs starts a build, whose log and metrics have to name the commit.
func saysWhatItIs(t *testing.T, path, commit string) {
	t.Helper()
	dir := t.TempDir()
	const corefile = ".:0 {\n    bind 127.0.0.1\n    ede\n    prometheus 127.0.0.1:0\n    forward . 127.0.0.1:1\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "Corefile"), []byte(corefile), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(path, "-conf", "Corefile")
	c.Dir = dir
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Wait()
	defer c.Process.Kill()
	stuck := time.AfterFunc(time.Minute, func() { c.Process.Kill() })
	defer stuck.Stop()

	want := regexp.MustCompile(`plugin/ede: version v0\.0\.0-\d{14}-` + commit[:12] + `, commit ` + commit + `, go1`)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if want.MatchString(lines.Text()) {
			return
		}
	}
	t.Errorf("it ended without a line %s: %v", want, lines.Err())
}
