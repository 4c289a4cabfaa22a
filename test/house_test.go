package test_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// source is a package of this module: its folder below the root, and its files that are
// no tests, whatever they are built for.
type source struct {
	folder string
	files  []string
}

// sources are all packages of this module.
func sources(t *testing.T) []source {
	t.Helper()
	c := exec.Command("go", "list", "-e", "-json=ImportPath,GoFiles,CgoFiles,IgnoredGoFiles", "./...")
	c.Dir = ".."
	out, err := c.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []source
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath                        string
			GoFiles, CgoFiles, IgnoredGoFiles []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		s := source{folder: belowModule(p.ImportPath)}
		for _, name := range slices.Concat(p.GoFiles, p.CgoFiles, p.IgnoredGoFiles) {
			if !strings.HasSuffix(name, "_test.go") {
				s.files = append(s.files, name)
			}
		}
		all = append(all, s)
	}
	if len(all) < 20 {
		t.Fatalf("go list shows %d packages", len(all))
	}
	return all
}

// parseFile reads a file of the module, path being below its root.
func parseFile(t *testing.T, name string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", name), nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// tricksOf are the tricks that f plays on the compiler or on other packages.
func tricksOf(f *ast.File) []string {
	var tricks []string
	for _, i := range f.Imports {
		if name := strings.Trim(i.Path.Value, `"`); name == "unsafe" || name == "C" {
			tricks = append(tricks, "imports "+name)
		}
	}
	for _, group := range f.Comments {
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "//go:linkname") {
				tricks = append(tricks, c.Text)
			}
		}
	}
	return tricks
}

func TestNothingIsUnsafe(t *testing.T) {
	for _, s := range sources(t) {
		for _, file := range s.files {
			for _, trick := range tricksOf(parseFile(t, path.Join(s.folder, file))) {
				t.Errorf("%s/%s: %s", s.folder, file, trick)
			}
		}
	}
}

// readsFields reports whether f reads fields by their names, or by their places, through
// reflection: that is how private state of other packages is reached.
func readsFields(f *ast.File) bool {
	reflects := slices.ContainsFunc(f.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"reflect"` })
	found := false
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			switch s.Sel.Name {
			case "FieldByName", "FieldByNameFunc", "FieldByIndex", "FieldByIndexErr", "UnsafePointer", "UnsafeAddr", "NewAt":
				found = found || reflects
			}
		}
		return !found
	})
	return found
}

func TestPrivateStateIsReadInOneRoom(t *testing.T) {
	// The tests' server finds its own address in CoreDNS's listener.
	allowed := map[string]bool{"plugin/unexported/unexported.go": true, "test/server/listener.go": true}
	for _, s := range sources(t) {
		for _, file := range s.files {
			name := path.Join(s.folder, file)
			reads := readsFields(parseFile(t, name))
			if reads && !allowed[name] {
				t.Errorf("%s reads fields by reflection, which plugin/unexported is for", name)
			}
			if !reads && allowed[name] {
				t.Errorf("%s reads no field by reflection any more", name)
			}
		}
	}
}

// maxLines and maxFiles are what a file and a package may grow to.
const (
	maxLines = 250
	maxFiles = 15
)

func TestFilesAndPackagesStaySmall(t *testing.T) {
	for _, s := range sources(t) {
		if len(s.files) > maxFiles {
			t.Errorf("%s has %d files, want at most %d", s.folder, len(s.files), maxFiles)
		}
		for _, file := range s.files {
			name := path.Join(s.folder, file)
			text, err := os.ReadFile(filepath.Join("..", name))
			if err != nil {
				t.Fatal(err)
			}
			if lines := bytes.Count(text, []byte("\n")); lines > maxLines {
				t.Errorf("%s has %d lines, want at most %d", name, lines, maxLines)
			}
		}
	}
}

// What the tests above look for is found where it is.
func TestATrickIsSeen(t *testing.T) {
	for name, text := range map[string]string{
		"unsafe":      "package p\nimport \"unsafe\"\n",
		"renamed":     "package p\nimport u \"unsafe\"\n",
		"cgo":         "package p\nimport \"C\"\n",
		"linkname":    "package p\nimport _ \"unsafe\"\n//go:linkname now runtime.nanotime\nfunc now() int64\n",
		"FieldByName": "package p\nimport \"reflect\"\nvar x = reflect.ValueOf(1).FieldByName(\"y\")\n",
		"renamed too": "package p\nimport r \"reflect\"\nvar x = r.ValueOf(1).FieldByIndex(nil)\n",
	} {
		f, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if len(tricksOf(f)) == 0 && !readsFields(f) {
			t.Errorf("%s is not seen", name)
		}
	}
}
