package test_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const moduleRoot = "github.com/seed-1b7246af/coredns-ede"

// plannedImports reads the table of rooms of ARCHITECTURE.md: the last column by
// the first, both as paths below the module.
func plannedImports(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	rooms := make(map[string][]string)
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 || !strings.HasPrefix(line, "| `") {
			continue
		}
		room := strings.Trim(strings.TrimSpace(cells[0]), "`")
		rooms[room] = nil
		if last := strings.TrimSpace(cells[3]); room != "." && last != "none" {
			for name := range strings.SplitSeq(last, ", ") {
				rooms[room] = append(rooms[room], "plugin/"+name)
			}
		}
	}
	return rooms
}

// builtImports are the imports between packages of this module, tests left out,
// as paths below the module.
func builtImports(t *testing.T) map[string][]string {
	t.Helper()
	c := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	c.Dir = ".."
	out, err := c.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	found := make(map[string][]string)
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return found
		} else if err != nil {
			t.Fatal(err)
		}
		room := belowModule(p.ImportPath)
		found[room] = nil
		for _, i := range p.Imports {
			if i == moduleRoot || strings.HasPrefix(i, moduleRoot+"/") {
				found[room] = append(found[room], belowModule(i))
			}
		}
	}
}

func belowModule(importPath string) string {
	return path.Clean("./" + strings.TrimPrefix(strings.TrimPrefix(importPath, moduleRoot), "/"))
}

func TestImportsRunAsArchitectureSays(t *testing.T) {
	planned, built := plannedImports(t), builtImports(t)
	if len(planned) < 10 {
		t.Fatalf("ARCHITECTURE.md has a table of %d rooms", len(planned))
	}
	for room := range planned {
		if _, ok := built[room]; !ok {
			t.Errorf("ARCHITECTURE.md has %s, which is no package", room)
		}
	}
	for room, imports := range built {
		inPlugin := strings.HasPrefix(room, "plugin/")
		allowed, ok := planned[room]
		if inPlugin && !ok {
			t.Errorf("%s is missing in the table of ARCHITECTURE.md", room)
		}
		for _, i := range allowed {
			if !slices.Contains(imports, i) {
				t.Errorf("%s does not import %s, as ARCHITECTURE.md says", room, i)
			}
		}
		for _, i := range imports {
			switch {
			case inPlugin && !slices.Contains(allowed, i):
				t.Errorf("%s imports %s, which ARCHITECTURE.md does not allow", room, i)
			case room == "." && !strings.HasPrefix(i, "plugin/"):
				t.Errorf("the root imports %s, which is not under plugin/", i)
			case room == "cmd/coredns" && i != ".":
				t.Errorf("cmd/coredns imports %s in addition to the root", i)
			case strings.HasPrefix(i, "test/") && !strings.HasPrefix(room, "test/"):
				t.Errorf("%s imports %s, which is for tests", room, i)
			}
		}
	}
}

// TestPlannedImportsRunDownwards holds the table itself to its order: a room
// imports only rooms in lines below its own.
func TestPlannedImportsRunDownwards(t *testing.T) {
	text, err := os.ReadFile("../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	line := func(room string) int { return strings.Index(string(text), "\n| `"+room+"` |") }
	for room, imports := range plannedImports(t) {
		for _, i := range imports {
			if line(i) <= line(room) {
				t.Errorf("%s stands above %s, which it may import", i, room)
			}
		}
	}
}

var picture = regexp.MustCompile("(?s)An arrow means .*?~~~ mermaid\nflowchart TD\n(.*?)~~~")

// picturedImports reads the arrows of the picture of ARCHITECTURE.md.
func picturedImports(t *testing.T, built map[string][]string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	rooms := map[string]string{"ede": "."}
	for room := range built {
		if strings.HasPrefix(room, "plugin/") {
			rooms[path.Base(room)] = room
		}
	}
	m := picture.FindStringSubmatch(string(text))
	if m == nil {
		t.Fatal("ARCHITECTURE.md has no picture of the rooms")
	}
	arrows := make(map[string][]string)
	for line := range strings.Lines(m[1]) {
		from, to, ok := strings.Cut(strings.TrimSpace(line), " --> ")
		if !ok {
			t.Errorf("%q is no arrow", line)
		}
		for name := range strings.SplitSeq(to, " & ") {
			if rooms[from] == "" || rooms[name] == "" {
				t.Errorf("%q: no such room", line)
			}
			arrows[rooms[from]] = append(arrows[rooms[from]], rooms[name])
		}
	}
	return arrows
}

// direct are the imports that do not follow from others.
func direct(built map[string][]string, room string) []string {
	var reaches func(from, to string) bool
	reaches = func(from, to string) bool {
		return slices.ContainsFunc(built[from], func(i string) bool { return i == to || reaches(i, to) })
	}
	return slices.DeleteFunc(slices.Clone(built[room]), func(to string) bool {
		return slices.ContainsFunc(built[room], func(other string) bool { return other != to && reaches(other, to) })
	})
}

func TestThePictureOfTheRoomsHasEveryArrowAndNoOther(t *testing.T) {
	built := builtImports(t)
	pictured := picturedImports(t, built)
	for room := range built {
		if room != "." && !strings.HasPrefix(room, "plugin/") {
			continue
		}
		want, got := direct(built, room), slices.Clone(pictured[room])
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("the picture of ARCHITECTURE.md has arrows from %s to %v, want %v", room, got, want)
		}
	}
}

var placed = regexp.MustCompile("`([A-Za-z.]+)`\\s\\(`([a-z_/]+\\.go)`\\)")

// TestWhatTheWayOfAMessageNamesIsThere looks for each function in the file that
// ARCHITECTURE.md names: by its path, or by its name alone where the room is clear.
func TestWhatTheWayOfAMessageNamesIsThere(t *testing.T) {
	text, err := os.ReadFile("../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	all := placed.FindAllStringSubmatch(string(text), -1)
	if len(all) < 20 {
		t.Fatalf("%d functions are found", len(all))
	}
	for _, m := range all {
		name, file := m[1][strings.LastIndex(m[1], ".")+1:], m[2]
		paths, _ := filepath.Glob("../" + file)
		if !strings.Contains(file, "/") && len(paths) == 0 {
			paths, _ = filepath.Glob("../plugin/*/" + file)
		}
		defined := regexp.MustCompile(`(?m)^func (\(.*\) )?` + name + `\(`)
		if !slices.ContainsFunc(paths, func(p string) bool {
			code, err := os.ReadFile(p)
			return err == nil && defined.Match(code)
		}) {
			t.Errorf("%s has no function %s", file, name)
		}
	}
}
