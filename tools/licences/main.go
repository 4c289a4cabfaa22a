// Licences checks the licence of every module that is compiled into the named
// packages: each has to have a licence file, all of whose text is known and of a
// kind that may be distributed under the Apache License 2.0. It prints a table and
// fails for what it does not accept.
//
//	go run -C tools ./licences ./cmd/coredns ./cmd/ede
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// accepted: permissive licences, and the MPL, whose copyleft ends at the file.
var accepted = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MPL-2.0"}

// enough is how much of a licence file, in percent, has to be of known licences;
// the rest are names and years.
const enough = 75

var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying)(\.(md|txt))?$`)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(packages []string) error {
	modules, err := compiledIn(packages)
	if err != nil {
		return err
	}
	var faults []error
	for _, module := range modules {
		path, dir, _ := strings.Cut(module, " ")
		kinds, err := licences(dir)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", path, err))
			continue
		}
		fmt.Printf("%-60s %s\n", path, strings.Join(kinds, ", "))
	}
	if len(modules) == 0 {
		return errors.New("no modules: nothing was checked")
	}
	fmt.Printf("%d modules\n", len(modules))
	return errors.Join(faults...)
}

// compiledIn lists the modules of all packages that the named ones import, but
// for this project's own.
func compiledIn(packages []string) ([]string, error) {
	list := exec.Command("go", append([]string{"list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}"}, packages...)...)
	list.Dir, list.Stderr = "..", os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	modules := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(modules)
	modules = slices.Compact(modules)
	return slices.DeleteFunc(modules, func(m string) bool { return m == "" }), nil
}

// licences returns the kinds of licence that the files of a module have, or what
// is wrong with them.
func licences(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var kinds []string
	for _, entry := range entries {
		if entry.IsDir() || !licenceFile.MatchString(entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, err
		}
		found := licensecheck.Scan(bytes.TrimSpace(text))
		if len(found.Match) == 0 || found.Percent < enough {
			return nil, fmt.Errorf("%s: only %.0f %% is of a licence that is known", entry.Name(), found.Percent)
		}
		for _, match := range found.Match {
			if !slices.Contains(accepted, match.ID) {
				return nil, fmt.Errorf("%s: licence %s is not accepted", entry.Name(), match.ID)
			}
			if !slices.Contains(kinds, match.ID) {
				kinds = append(kinds, match.ID)
			}
		}
	}
	if len(kinds) == 0 {
		return nil, errors.New("no licence file")
	}
	return kinds, nil
}
