package corefile

import (
	"os"
	"regexp"
	"strings"
)

// A keyLine is a token that may begin the keys of a server block.
type keyLine struct {
	text  string
	line  int
	above int  // line of the brace that closes what stands above
	bare  bool // no brace opens the block
}

// keyLineList yields the lines of blocks in the order of the file.
// caddyfile.Parse forgets the lines of the keys.
type keyLineList struct {
	keys []keyLine
	at   map[string][]int // places in keys by text, those before used left out
	used int

	imports []string // files and patterns that stand between the blocks
}

// near is how many keys next looks at before it makes an index of all: between
// two blocks stand few snippets and imports.
const near = 32

func (l *keyLineList) index() {
	l.at = make(map[string][]int, len(l.keys))
	for i, k := range l.keys {
		l.at[k.text] = append(l.at[k.text], i)
		if expanded := expand(k.text); expanded != k.text {
			l.at[expanded] = append(l.at[expanded], i)
		}
	}
}

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

// maxBrace is the length of a token that may be a brace: one between quotes, or
// before the end of a line of Windows.
const maxBrace = 3

// keyLines returns the first keys of all blocks of a file, and the variables of
// all keys that have no value.
func keyLines(file string, text []byte) (*keyLineList, []Variable) {
	var list []keyLine
	var unset []Variable
	depth, begin, keys := 0, true, false
	more := false // a comma promises another key, which may stand on the next line
	line, closed, skip := 0, 0, false
	var imports []string
	for s := newScanner(text); s.next(); {
		if skip && s.at == line { // keys may follow on the next line
			imports = append(imports, s.text())
			continue
		}
		skip = false
		if keys && s.at != line && !more {
			keys = false // a block without braces
			list[len(list)-1].bare = s.text() != "{"
		}
		line = s.at
		if depth > 0 && len(s.token) > maxBrace {
			continue
		}
		switch t := s.text(); {
		case t == "{":
			depth++
			keys = false
		case t == "}" && (depth > 0 || !begin): // one that closes nothing is a key
			depth = max(depth-1, 0)
			if begin = depth == 0; begin {
				closed = s.at
			}
		case depth == 0 && begin && t == "import":
			skip = true
		case depth == 0 && begin || keys:
			if begin {
				list = append(list, keyLine{text: strings.TrimSuffix(t, ","), line: line, above: closed})
			}
			unset = unsetIn(unset, file, line, t)
			begin, keys, more = false, true, strings.HasSuffix(t, ",")
		}
	}
	if keys {
		list[len(list)-1].bare = true // nor is there anything below
	}
	return &keyLineList{keys: list, imports: imports}, unset
}

// expand puts the values of variables into a key.
func expand(key string) string {
	value, _ := filled(key)
	return value
}

// filled is expand that also returns the variables without a value.
func filled(key string) (value string, unset []string) {
	if !strings.ContainsAny(key, "$%") {
		return key, nil
	}
	value = variable.ReplaceAllStringFunc(key, func(ref string) string {
		name := variableName(ref)
		v := os.Getenv(name)
		if v == "" {
			unset = append(unset, name)
		}
		return v
	})
	return value, unset
}

// unsetIn adds to all the variables of a key that have no value.
func unsetIn(all []Variable, file string, line int, token string) []Variable {
	key := strings.TrimSuffix(token, ",")
	value, unset := filled(key)
	for _, name := range unset {
		all = append(all, Variable{Name: name, Key: key, Value: value, File: file, Line: line})
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
	into, next := 0, 0
	for _, v := range unset { // both are in the order of the file
		for ; next < len(blocks) && (blocks[next].File != v.File || blocks[next].Line <= v.Line); next++ {
			if blocks[next].File == v.File {
				into = next
			}
		}
		if into < len(blocks) {
			blocks[into].Unset = append(blocks[into].Unset, v)
		}
	}
	return blocks
}

// next consumes the list up to key, or nothing when key is not in it.
func (l *keyLineList) next(key string) (line keyLine, found bool) {
	for i := l.used; i < min(l.used+near, len(l.keys)); i++ {
		if text := l.keys[i].text; text == key || expand(text) == key {
			l.used = i + 1
			return l.keys[i], true
		}
	}
	if l.at == nil {
		l.index()
	}
	at := l.at[key]
	for len(at) > 0 && at[0] < l.used {
		at = at[1:]
	}
	l.at[key] = at
	if len(at) == 0 {
		return keyLine{}, false
	}
	l.used = at[0] + 1
	return l.keys[at[0]], true
}
