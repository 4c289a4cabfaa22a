package corefile

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/coredns/caddy/caddyfile"
)

// A scanner yields the tokens of a Corefile with their lines, as caddyfile's
// lexer does, but as parts of the text: of most of them only the number of
// braces is wanted, and caddyfile.Parse has made all of them once.
type scanner struct {
	rest []byte
	line int // of the next rune

	token []byte // as it stands in the file, with its quotes
	at    int    // its line
}

func newScanner(text []byte) *scanner {
	return &scanner{rest: bytes.TrimPrefix(text, []byte("\uFEFF")), line: 1}
}

// next finds the next token (caddyfile/lexer.go, next).
func (s *scanner) next() bool {
	comment := false
	for len(s.rest) > 0 {
		r, size := rune(s.rest[0]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(s.rest)
		}
		switch {
		case r == '\n':
			s.line++
			comment = false
		case unicode.IsSpace(r) || comment:
		case r == '#':
			comment = true
		case r == '"':
			return s.quoted()
		default:
			s.word()
			return true
		}
		s.rest = s.rest[size:]
	}
	return false
}

// word ends at a space, or at a comment, of which what follows the first space
// is a token again.
func (s *scanner) word() {
	s.at = s.line
	end, comment := len(s.rest), -1
	for i := 0; i < len(s.rest); {
		r, size := rune(s.rest[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(s.rest[i:])
		}
		if unicode.IsSpace(r) && r != '\r' {
			end = i
			break
		}
		if r == '#' && comment < 0 {
			comment = i
		}
		i += size
	}
	s.token = s.rest[:end]
	if comment >= 0 {
		s.token = s.rest[:comment]
	}
	s.rest = s.rest[end:]
}

// quoted ends at the closing quotes.
func (s *scanner) quoted() bool {
	s.at = s.line
	for i := 1; i < len(s.rest); i++ {
		switch s.rest[i] {
		case '\n':
			s.line++
		case '\\':
			if i++; i < len(s.rest) && s.rest[i] == '\n' {
				s.line++
			}
		case '"':
			s.token, s.rest = s.rest[:i+1], s.rest[i+1:]
			return true
		}
	}
	s.token, s.rest = s.rest, nil
	return len(s.token) > 1 && string(s.token) != `"\`
}

// text is the token as caddyfile reads it.
func (s *scanner) text() string {
	if s.token[0] == '"' {
		d := caddyfile.NewDispenser("", bytes.NewReader(s.token))
		d.Next()
		return d.Val()
	}
	if bytes.IndexByte(s.token, '\r') < 0 && utf8.Valid(s.token) {
		return string(s.token)
	}
	return strings.ReplaceAll(string(bytes.Runes(s.token)), "\r", "")
}
