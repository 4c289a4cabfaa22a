package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/seed-1b7246af/coredns-ede/test/coredns/inject"
)

const (
	module  = "github.com/seed-1b7246af/coredns-ede"
	coredns = "github.com/coredns/coredns"
	// above is the plugin that ede stands right below, as in cmd/coredns.
	above = "dnstap:dnstap"
)

// suite is one copy of CoreDNS's source with its tests.
type suite struct {
	dir string
	// directive is what stands in every server block as well; empty for the
	// source as it is.
	directive string
}

// prepare makes the copy, unless it is there, and builds its tests.
func (s suite) prepare() error {
	if _, err := os.Stat(filepath.Join(s.dir, "go.mod")); err == nil {
		return nil
	}
	here, err := output(".", "go", "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return err
	}
	source, err := output(here, "go", "list", "-m", "-f", "{{.Dir}}", coredns)
	if err != nil {
		return err
	}
	// Files of the module cache are read-only; CopyFS makes them writable.
	if err := os.CopyFS(s.dir, writable{os.DirFS(source)}); err != nil {
		return err
	}
	if s.directive != "" {
		if err := s.compileIn(here); err != nil {
			return err
		}
	}
	_, err = output(s.dir, "go", "test", "-mod=mod", "-run", "^$", "./test/...")
	return err
}

// compileIn does what the README tells people to do, with this checkout in
// place of a release, and has the tests put the directive into their Corefiles.
func (s suite) compileIn(here string) error {
	if err := s.replace("plugin.cfg", above, above+"\nede:"+module); err != nil {
		return err
	}
	if err := s.replace("test/server.go", "[]byte(corefile)", "[]byte(inject.Corefile(corefile))"); err != nil {
		return err
	}
	if err := s.replace("test/server.go", "\n)\n", "\n\n\t\""+module+"/test/coredns/inject\"\n)\n"); err != nil {
		return err
	}
	for _, command := range [][]string{
		{"go", "mod", "edit", "-require=" + module + "@v0.0.0", "-replace=" + module + "=" + here},
		{"go", "generate", "coredns.go"},
	} {
		if _, err := output(s.dir, command[0], command[1:]...); err != nil {
			return err
		}
	}
	return nil
}

// replace replaces the first occurrence of from, which has to be there.
func (s suite) replace(file, from, to string) error {
	path := filepath.Join(s.dir, file)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !strings.Contains(string(text), from) {
		return fmt.Errorf("%s of CoreDNS has no %q any more", file, from)
	}
	return os.WriteFile(path, []byte(strings.Replace(string(text), from, to, 1)), 0o644)
}

// command returns a command in the copy, with the directive in its environment.
func (s suite) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Dir = s.dir
	c.Env = append(os.Environ(), inject.Variable+"="+s.directive)
	return c
}

func output(dir, name string, args ...string) (string, error) {
	c := exec.Command(name, args...)
	c.Dir = dir
	// The copy has requirements that CoreDNS's go.sum does not know.
	c.Env = append(os.Environ(), "GOFLAGS=-mod=mod -buildvcs=false", "GOWORK=off")
	var errors strings.Builder
	c.Stderr = &errors
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s%s", c, err, out, errors.String())
	}
	return strings.TrimSpace(string(out)), nil
}
