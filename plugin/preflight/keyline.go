package preflight

import (
	"bytes"
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

func keyLines(file string, text []byte) *keyLineList {
	var list keyLineList
	depth, begin := 0, true
	for d := caddyfile.NewDispenser(file, bytes.NewReader(text)); d.Next(); {
		switch t := d.Val(); {
		case t == "{":
			depth++
		case t == "}":
			depth = max(depth-1, 0)
			begin = depth == 0
		case depth == 0 && begin && t == "import":
			d.NextArg() // keys may follow on the next line
		case depth == 0 && begin:
			list = append(list, keyLine{strings.TrimSuffix(t, ","), d.Line()})
			begin = false
		}
	}
	return &list
}

// next consumes the list up to key, or nothing when key is not in it.
func (l *keyLineList) next(key string) (line int, found bool) {
	for i, k := range *l {
		if k.text == key || strings.ContainsAny(k.text, "$%") {
			*l = (*l)[i+1:]
			return k.line, true
		}
	}
	return 0, false
}
