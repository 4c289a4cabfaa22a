package corefile

import (
	"bytes"
	"os"
	"regexp"
	"strings"

	"github.com/coredns/caddy/caddyfile"
)

// A keyLine is a token that may begin the keys of a server block.
type keyLine struct {
	text string
	line int
}

// keyLineList yields the lines of blocks in the order of the file.
// caddyfile.Parse forgets the lines of the keys.
type keyLineList []keyLine

// A Variable is one of the environment that a key takes its value from, and
// that has none.
type Variable struct {
	Name  string
	Key   string // as written
	Value string // of the whole key
	File  string
	Line  int
}

// variable is how caddyfile writes one, in the style of Unix or Windows.
var variable = regexp.MustCompile(`\{\$([^{}]+)\}|\{%([^{}]+)%\}`)

// keyLines returns the first keys of all blocks of a file, and the variables of
// all keys that have no value.
func keyLines(file string, text []byte) (*keyLineList, []Variable) {
	var list keyLineList
	var unset []Variable
	depth, begin, keys := 0, true, false
	more := false // a comma promises another key, which may stand on the next line
	line := 0
	for d := caddyfile.NewDispenser(file, bytes.NewReader(text)); d.Next(); {
		if keys && d.Line() != line && !more {
			keys = false // a block without braces
		}
		line = d.Line()
		switch t := d.Val(); {
		case t == "{":
			depth++
			keys = false
		case t == "}":
			depth = max(depth-1, 0)
			begin = depth == 0
		case depth == 0 && begin && t == "import":
			d.NextArg() // keys may follow on the next line
		case depth == 0 && begin || keys:
			if begin {
				list = append(list, keyLine{strings.TrimSuffix(t, ","), line})
			}
			unset = append(unset, unsetIn(file, line, t)...)
			begin, keys, more = false, true, strings.HasSuffix(t, ",")
		}
	}
	return &list, unset
}

func unsetIn(file string, line int, token string) []Variable {
	var all []Variable
	key := strings.TrimSuffix(token, ",")
	value := variable.ReplaceAllStringFunc(key, func(ref string) string { return os.Getenv(variableName(ref)) })
	for _, ref := range variable.FindAllString(key, -1) {
		if name := variableName(ref); os.Getenv(name) == "" {
			all = append(all, Variable{Name: name, Key: key, Value: value, File: file, Line: line})
		}
	}
	return all
}

func variableName(ref string) string { return strings.Trim(ref, "{}$%") }

// place gives each variable to the block that it stands in or below. Without
// any block there is one without keys.
func place(blocks []Block, unset []Variable) []Block {
	if len(blocks) == 0 && len(unset) > 0 {
		blocks = []Block{{File: unset[0].File, Line: unset[0].Line}}
	}
	for _, v := range unset {
		into := 0
		for i, b := range blocks {
			if b.File == v.File && b.Line <= v.Line {
				into = i
			}
		}
		if into < len(blocks) {
			blocks[into].Unset = append(blocks[into].Unset, v)
		}
	}
	return blocks
}

// next consumes the list up to key, or nothing when key is not in it.
func (l *keyLineList) next(key string) (line int, found bool) {
	for i, k := range *l {
		if k.text == key || strings.ContainsAny(k.text, "$%") && key == variable.ReplaceAllStringFunc(k.text, func(ref string) string { return os.Getenv(variableName(ref)) }) {
			*l = (*l)[i+1:]
			return k.line, true
		}
	}
	return 0, false
}

// keyLineIn is next for a file that the Corefile imports. lists holds those
// that were read.
func keyLineIn(lists map[string]*keyLineList, file, key string) (line int, found bool) {
	list, known := lists[file]
	if !known {
		text, err := os.ReadFile(file)
		if err != nil {
			return 0, false
		}
		list, _ = keyLines(file, text)
		lists[file] = list
	}
	return list.next(key)
}
