package logline

import (
	"strconv"
	"unicode/utf8"
)

// text reads the values of a line whose kind is known.
func (p *Parser) text(r *Record, b []byte) error {
	for f := begin; ; {
		if same, t := p.inText.again(f, b); t != nil {
			if err := r.take(same, b[t.at:t.end], t.sum); err != nil {
				return err
			}
			f, b = same, b[len(t.raw):]
			continue
		}
		var octets int
		if f, octets = p.inText.key(f, b); octets == 0 {
			return BadSyntax
		}
		val, rest, all, err := p.value(b[octets:])
		if err != nil {
			return err
		}
		if err := p.set(r, f, val, all); err != nil {
			return err
		}
		if len(rest) == 0 {
			return r.finish()
		}
		if rest[0] != ' ' {
			return BadSyntax
		}
		if f < numFields {
			val = r.Get(f)
		}
		p.inText.keep(f, b[:len(b)-len(rest)+1], val)
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

// value cuts one value, bare or quoted, off b, and returns the kinds of its characters.
func (p *Parser) value(b []byte) (val, rest []byte, all chars, err error) {
	if len(b) > 0 && b[0] == '"' {
		return p.quoted(b[1:])
	}
	all = anyChars
	for i, c := range b {
		kind := kinds[c]
		if kind&bare == 0 {
			if c == ' ' {
				return b[:i], b[i:], all, nil
			}
			return nil, nil, 0, BadQuoting
		}
		all &= kind
	}
	return b, nil, all, nil
}

// quoted reads up to the closing quote.
func (p *Parser) quoted(b []byte) (val, rest []byte, all chars, err error) {
	all = anyChars
	for i, c := range b {
		kind := kinds[c]
		if kind&quotable != 0 {
			all &= kind
			continue
		}
		switch c {
		case '"':
			if all&visible == 0 {
				val, all = p.shown(b[:i])
				return val, b[i+1:], all, nil
			}
			return b[:i], b[i+1:], all, nil
		case '\\':
			if val, rest, err = p.unquote(b); err == nil {
				val, all = p.shown(val)
			}
			return val, rest, all, err
		}
		all &= kind
	}
	return nil, nil, 0, BadQuoting
}

// unquote takes Go's escapes out; the value is not yet fit for a terminal. strconv would allocate a string for each.
func (p *Parser) unquote(b []byte) (val, rest []byte, err error) {
	start := len(p.scratch)
	for i := 0; i < len(b); {
		c := b[i]
		if c == '"' {
			return p.scratch[start:len(p.scratch):len(p.scratch)], b[i+1:], nil
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
