package logline

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// text reads what follows "plugin/ede: ": the kind, unless it is a query, and
// the values.
func (p *Parser) text(r *Record, b []byte) error {
	r.Kind = Query
	if word, rest, ok := bytes.Cut(b, space); ok && kindOf(word) != 0 {
		r.Kind, b = kindOf(word), rest
	}
	for {
		eq := bytes.IndexByte(b, '=')
		if eq < 1 || !isKey(b[:eq]) {
			return BadSyntax
		}
		key := b[:eq]
		val, rest, err := p.value(b[eq+1:])
		if err != nil {
			return err
		}
		if err := p.set(r, key, val); err != nil {
			return err
		}
		if len(rest) == 0 {
			return r.finish()
		}
		if rest[0] != ' ' {
			return BadSyntax
		}
		b = rest[1:]
	}
}

var space = []byte{' '}

func kindOf(word []byte) Kind {
	switch string(word) {
	case "summary":
		return Summary
	case "recovered":
		return Recovered
	case "diagnosis", "reason":
		return Diagnosis
	case "answer":
		return Answer
	}
	return 0
}

func isKey(b []byte) bool {
	for _, c := range b {
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_') {
			return false
		}
	}
	return true
}

// value cuts one value, bare or quoted, off b.
func (p *Parser) value(b []byte) (val, rest []byte, err error) {
	if len(b) > 0 && b[0] == '"' {
		return p.quoted(b[1:])
	}
	for i, c := range b {
		if c == ' ' {
			return b[:i], b[i:], nil
		}
		if !bare[c] {
			return nil, nil, BadQuoting
		}
	}
	return b, nil, nil
}

// bare has the characters that need no quotes: all that are visible in ASCII,
// a few more than the plugin leaves unquoted, but none that the line is built of.
var bare = func() (set [256]bool) {
	for c := '!'; c <= '~'; c++ {
		set[c] = c != '"' && c != '\\' && c != '='
	}
	return set
}()

// quoted reads up to the closing quote.
func (p *Parser) quoted(b []byte) (val, rest []byte, err error) {
	for i, c := range b {
		switch c {
		case '"':
			return p.printable(b[:i]), b[i+1:], nil
		case '\\':
			return p.unquote(b)
		}
	}
	return nil, nil, BadQuoting
}

// unquote takes Go's escapes out. strconv would allocate a string for each.
func (p *Parser) unquote(b []byte) (val, rest []byte, err error) {
	start := len(p.scratch)
	for i := 0; i < len(b); {
		c := b[i]
		if c == '"' {
			return p.printable(p.scratch[start:len(p.scratch):len(p.scratch)]), b[i+1:], nil
		}
		if c != '\\' {
			p.scratch, i = append(p.scratch, c), i+1
			continue
		}
		n, ok := p.goEscape(b[i+1:])
		if !ok {
			return nil, nil, BadQuoting
		}
		i += 1 + n
	}
	return nil, nil, BadQuoting
}

// goEscape decodes what follows a backslash in a Go string literal and returns
// how many bytes that was.
func (p *Parser) goEscape(b []byte) (int, bool) {
	if len(b) == 0 {
		return 0, false
	}
	if plain := goEscapes[b[0]]; plain != 0 {
		p.scratch = append(p.scratch, plain)
		return 1, true
	}
	digits := 0
	switch b[0] {
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	}
	if digits == 0 || len(b) <= digits {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[1:1+digits]), 16, 32)
	if err != nil {
		return 0, false
	}
	if digits == 2 {
		p.scratch = append(p.scratch, byte(n))
	} else {
		p.scratch = utf8.AppendRune(p.scratch, rune(n))
	}
	return 1 + digits, true
}

var goEscapes = [256]byte{
	'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v',
	'\\': '\\', '"': '"',
}
