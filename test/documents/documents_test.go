// Package documents_test holds the documents of the repository to what the
// repository has: links, Corefiles, commands and log lines.
package documents_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// document is a text file; path is below the repository's root.
type document struct{ path, text string }

// documents are all Markdown files of the repository.
func documents(t *testing.T) []document {
	t.Helper()
	all := files(t, func(path string) bool { return filepath.Ext(path) == ".md" })
	if !slices.ContainsFunc(all, func(d document) bool { return d.path == "README.md" }) {
		t.Fatalf("no README.md among %d documents", len(all))
	}
	return all
}

// files are those of the repository that wanted takes.
func files(t *testing.T, wanted func(path string) bool) []document {
	t.Helper()
	var all []document
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == ".git" {
			return filepath.SkipDir
		}
		if d.IsDir() || !wanted(path) {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		below, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		all = append(all, document{filepath.ToSlash(below), string(text)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// block is a fenced block of a document.
type block struct{ language, text string }

var fenced = regexp.MustCompile("(?ms)^(?:~~~|```) *(\\w*)\n(.*?)^(?:~~~|```)$")

func (d document) blocks() []block {
	var all []block
	for _, m := range fenced.FindAllStringSubmatch(d.text, -1) {
		all = append(all, block{m[1], m[2]})
	}
	return all
}

// prose is the text outside of fenced blocks.
func (d document) prose() string { return fenced.ReplaceAllString(d.text, "") }

// code is what stands between backticks in the prose, and each line of shell
// blocks.
func (d document) code() []string {
	var all []string
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(d.prose(), -1) {
		all = append(all, strings.Join(strings.Fields(m[1]), " "))
	}
	for _, b := range d.blocks() {
		for line := range strings.Lines(b.text) {
			line = strings.TrimSpace(line)
			switch command, prompt := strings.CutPrefix(line, "$ "); {
			case prompt:
				all = append(all, command)
			case b.language == "sh":
				all = append(all, line)
			}
		}
	}
	return all
}
