package logline

import (
	"strconv"
	"unicode/utf8"
)

// printable returns b if it is plain ASCII, which nearly all is, else a copy
// that shows what a terminal must not act upon - control characters, bidi
// overrides, zero-width joiners, broken UTF-8 - as the escapes Go writes.
func (p *Parser) printable(b []byte) []byte {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return p.escape(b)
		}
	}
	return b
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
