package test_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// borrowed are packages whose goroutines the tests of others look after.
var borrowed = map[string]string{
	"plugin/exchange": "its proxies end in finalizers; test/diagnosis has them",
}

// TestWhoStartsGoroutinesLooksForLeaks holds every package whose code starts
// goroutines to a look, after its tests, whether any are left.
func TestWhoStartsGoroutinesLooksForLeaks(t *testing.T) {
	starts, looks := make(map[string]bool), make(map[string]bool)
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != ".." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "test" || d.Name() == "node_modules"):
			return filepath.SkipDir
		case filepath.Ext(path) != ".go":
			return nil
		}
		room := filepath.ToSlash(filepath.Dir(strings.TrimPrefix(path, "../")))
		if strings.HasSuffix(path, "_test.go") {
			text, err := os.ReadFile(path)
			looks[room] = looks[room] || strings.Contains(string(text), "leak.Run(m)")
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		starts[room] = starts[room] || startsGoroutines(f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, room := range slices.Sorted(maps.Keys(starts)) {
		if !starts[room] {
			continue
		}
		n++
		if _, ok := borrowed[room]; !ok && !looks[room] {
			t.Errorf("%s starts goroutines, and no TestMain of it calls leak.Run", room)
		}
	}
	if n < 5 {
		t.Errorf("%d packages seem to start goroutines: this test does not see them", n)
	}
}

// startsGoroutines reports whether f has a go statement, or calls what starts
// a goroutine.
func startsGoroutines(f *ast.File) (found bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = true
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok {
				found = found || slices.Contains([]string{"Go", "AfterFunc", "NewProxy"}, s.Sel.Name)
			}
		}
		return !found
	})
	return found
}
