package logline

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// str decodes a string. The result is not yet fit for a terminal.
func (s *scanner) str() ([]byte, error) {
	if s.i >= len(s.b) || s.b[s.i] != '"' {
		return nil, BadJSON
	}
	s.i++
	start := s.i
	for ; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return s.b[start : s.i-1], nil
		case c == '\\':
			return s.unescape(start)
		case c < ' ':
			return nil, BadJSON
		}
	}
	return nil, BadJSON
}

// unescape goes on at the first backslash of a string that began at start.
func (s *scanner) unescape(start int) ([]byte, error) {
	mark := len(s.p.scratch)
	out := append(s.p.scratch, s.b[start:s.i]...)
	for s.i < len(s.b) {
		c := s.b[s.i]
		s.i++
		switch {
		case c == '"':
			s.p.scratch = out
			return out[mark:len(out):len(out)], nil
		case c < ' ':
			return nil, BadJSON
		case c != '\\':
			out = append(out, c)
			continue
		}
		if s.i >= len(s.b) {
			return nil, BadJSON
		}
		c = s.b[s.i]
		s.i++
		if c == 'u' {
			r, ok := s.codePoint()
			if !ok {
				return nil, BadJSON
			}
			out = utf8.AppendRune(out, r)
			continue
		}
		if jsonEscapes[c] == 0 {
			return nil, BadJSON
		}
		out = append(out, jsonEscapes[c])
	}
	return nil, BadJSON
}

var jsonEscapes = [256]byte{'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', '\\': '\\', '"': '"', '/': '/'}

// codePoint reads the digits of \uXXXX, and of a second one where the two make
// a surrogate pair.
func (s *scanner) codePoint() (rune, bool) {
	r, ok := s.hex4()
	if !ok || !utf16.IsSurrogate(r) {
		return r, ok
	}
	if bytes.HasPrefix(s.b[s.i:], []byte(`\u`)) {
		back := s.i
		s.i += 2
		if low, ok := s.hex4(); ok {
			if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
				return both, true
			}
		}
		s.i = back
	}
	return utf8.RuneError, true
}

func (s *scanner) hex4() (rune, bool) {
	if len(s.b)-s.i < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s.b[s.i:s.i+4]), 16, 16)
	if err != nil {
		return 0, false
	}
	s.i += 4
	return rune(n), true
}
