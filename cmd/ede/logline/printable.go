package logline

import (
	"strconv"
	"unicode/utf8"
)

// chars are the kinds that an octet, or each octet of a value, belongs to.
type chars uint8

const (
	// visible octets are plain ASCII that a terminal may be sent.
	visible chars = 1 << iota
	// bare ones need no quotes in a text line: all that are visible but the space, a few
	// more than the plugin leaves unquoted, but none that the line is built of.
	bare
	// quotable ones stand for themselves between quotes.
	quotable
	// ofLabels holds causes, rcodes and the like to what a metric label could be: they
	// become keys of tables and column heads.
	ofLabels
	noCapital
)

var kinds = func() (kinds [256]chars) {
	for i := range kinds {
		c := byte(i)
		capital := 'A' <= c && c <= 'Z'
		for kind, is := range map[chars]bool{
			visible:   ' ' <= c && c <= '~',
			bare:      '!' <= c && c <= '~' && c != '"' && c != '\\' && c != '=',
			quotable:  ' ' <= c && c <= '~' && c != '"' && c != '\\',
			ofLabels:  capital || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '-',
			noCapital: !capital,
		} {
			if is {
				kinds[i] |= kind
			}
		}
	}
	return kinds
}()

const anyChars = ^chars(0)

func charsOf(b []byte) chars {
	all := anyChars
	for _, c := range b {
		all &= kinds[c]
	}
	return all
}

// printable returns b if it is plain ASCII, which nearly all is, else a copy
// that shows what a terminal must not act upon - control characters, bidi
// overrides, zero-width joiners, broken UTF-8 - as the escapes Go writes.
func (p *Parser) printable(b []byte) []byte {
	b, _ = p.shown(b)
	return b
}

// shown is printable, with the kinds of characters that all of it is.
func (p *Parser) shown(b []byte) ([]byte, chars) {
	all := charsOf(b)
	if all&visible == 0 {
		b = p.escape(b)
		all = charsOf(b)
	}
	return b, all
}

func (p *Parser) escape(b []byte) []byte {
	start := len(p.scratch)
	var quoted [16]byte
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && size == 1:
			p.scratch = append(p.scratch, `\x`...)
			p.scratch = append(p.scratch, hexDigits[b[0]>>4], hexDigits[b[0]&15])
		case strconv.IsPrint(r):
			p.scratch = append(p.scratch, b[:size]...)
		default:
			q := strconv.AppendQuoteRuneToASCII(quoted[:0], r)
			p.scratch = append(p.scratch, q[1:len(q)-1]...)
		}
		b = b[size:]
	}
	return p.scratch[start:len(p.scratch):len(p.scratch)]
}

const hexDigits = "0123456789abcdef"

// lower folds ASCII letters only, as names are compared (RFC 4343): clients
// that randomize the case of their questions would else fill the tables.
func (p *Parser) lower(b []byte) []byte {
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			return p.lowerFrom(b, i)
		}
	}
	return b
}

func (p *Parser) lowerFrom(b []byte, i int) []byte {
	start := len(p.scratch)
	p.scratch = append(p.scratch, b...)
	low := p.scratch[start:len(p.scratch):len(p.scratch)]
	for ; i < len(low); i++ {
		if c := low[i]; 'A' <= c && c <= 'Z' {
			low[i] = c + 'a' - 'A'
		}
	}
	return low
}
