package corefile

import (
	"cmp"
	"slices"
	"strings"

	"github.com/coredns/caddy/caddyfile"
)

// A reader makes directives of what caddyfile has grouped by name. A large Corefile has
// a million small lists, so that many lie in one piece of memory.
type reader struct {
	file  string // that is parsed: caddyfile names imported ones only
	uses  []use  // of the block before, to be used again
	words []string
	lines [][]string
}

// A use is the tokens of one use of a directive.
type use struct {
	file, name string
	line       int
	number     int // among the uses of name
	tokens     []caddyfile.Token
}

// directives undoes the grouping by name.
func (r *reader) directives(tokens map[string][]caddyfile.Token) []Directive {
	r.uses = r.uses[:0]
	for name, ts := range tokens {
		r.split(name, ts)
	}
	slices.SortFunc(r.uses, r.compare)
	read := make([]Directive, len(r.uses))
	for i := range r.uses {
		u := &r.uses[i]
		read[i] = Directive{Name: u.name, Lines: r.read(u.tokens), File: u.file, Line: u.line, Use: u.number, Tokens: u.tokens}
	}
	return read
}

// compare puts the uses in the file that is parsed first.
func (r *reader) compare(a, b use) int {
	if a.file != b.file {
		return cmp.Or(cmp.Compare(foreign(a.file, r.file), foreign(b.file, r.file)), cmp.Compare(a.file, b.file))
	}
	if a.line != b.line {
		return cmp.Compare(a.line, b.line)
	}
	return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.number, b.number))
}

func foreign(file, own string) int {
	if file == own {
		return 0
	}
	return 1
}

// split adds all the uses of one directive. A use ends where caddy's own
// Dispenser ends it: at a token outside of braces on another line.
func (r *reader) split(name string, tokens []caddyfile.Token) {
	depth, first, number := 0, 0, 0
	add := func(end int) {
		r.uses = append(r.uses, use{cmp.Or(tokens[first].File, r.file), name, tokens[first].Line, number, tokens[first:end:end]})
		first = end
		number++
	}
	for i := 1; i < len(tokens); i++ {
		switch t := &tokens[i]; {
		case depth == 0 && t.Text != "{" && newLine(tokens, i):
			add(i)
		case t.Text == "{":
			depth++
		case t.Text == "}":
			depth--
		}
	}
	add(len(tokens))
}

// newLine reports whether token i stands on another line than the one before.
func newLine(tokens []caddyfile.Token, i int) bool {
	before, t := &tokens[i-1], &tokens[i]
	return t.File != before.File || before.Line+strings.Count(before.Text, "\n") != t.Line
}

// read makes lines of the tokens of one use.
func (r *reader) read(tokens []caddyfile.Token) [][]string {
	lines, words := append(room(r.lines), nil), room(r.words)
	depth := 0
	for i := 1; i < len(tokens); i++ {
		text := tokens[i].Text
		switch text {
		case "{":
			depth++
			if depth == 1 {
				lines = append(lines, nil)
				continue
			}
		case "}":
			depth--
			if last := lines[len(lines)-1]; depth == 0 && (newLine(tokens, i) || len(last) == 0 || last[0] != "fallthrough") {
				continue // else plugins read it as one more zone
			}
		}
		last := lines[len(lines)-1]
		if len(last) > 0 && newLine(tokens, i) {
			lines, last = append(lines, nil), nil
		}
		words = append(words, text)
		end := len(words)
		lines[len(lines)-1] = words[end-1-len(last) : end : end]
	}
	// A block in braces whose lines are all empty leaves a bare one.
	if n := len(lines); n > 1 && len(lines[n-1]) == 0 {
		lines = lines[:n-1]
	}
	r.lines, r.words = lines, words
	return slices.Clip(lines)
}

// room is what is free behind list, or a new piece if that is little. A small Corefile
// needs no large one.
func room[T any](list []T) []T {
	const little, first, most = 8, 32, 1 << 10
	free := list[len(list):]
	switch {
	case cap(free) >= little:
		return free
	case cap(list) == 0:
		return make([]T, 0, first)
	}
	return make([]T, 0, most)
}
