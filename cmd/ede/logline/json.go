package logline

import (
	"bytes"
)

// maxDepth is far beyond what a log record nests.
const maxDepth = 8

// scanner walks the members of one JSON object (RFC 8259) without building it: jsontext, which
// is as strict, takes twice as long, and readers as fast let damaged numbers and strings pass.
type scanner struct {
	p     *Parser
	b     []byte
	i     int
	begun bool
}

// A member is one key and its value. Text is the decoded string for strings,
// else the literal as written.
type member struct {
	key, text []byte
	kind      byte // '"', '[', '{', 't', 'f', 'n' or '0' for numbers
}

// next returns the next member; ok is false after the last one.
func (s *scanner) next() (m member, ok bool, err error) {
	if !s.begun {
		s.begun = true
		if !s.take('{') {
			return m, false, BadJSON
		}
		if s.take('}') {
			return m, false, s.end()
		}
	} else if s.take('}') {
		return m, false, s.end()
	} else if !s.take(',') {
		return m, false, BadJSON
	}
	s.skipSpace()
	if m.key, err = s.str(); err != nil {
		return m, false, err
	}
	if !s.take(':') {
		return m, false, BadJSON
	}
	m.kind, m.text, err = s.value(0)
	return m, err == nil, err
}

// end wants nothing but white space behind the object.
func (s *scanner) end() error {
	if s.skipSpace(); s.i != len(s.b) {
		return BadJSON
	}
	return nil
}

func (s *scanner) skipSpace() {
	for s.i < len(s.b) && (s.b[s.i] == ' ' || s.b[s.i] == '\t' || s.b[s.i] == '\r' || s.b[s.i] == '\n') {
		s.i++
	}
}

func (s *scanner) take(c byte) bool {
	if s.skipSpace(); s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

func (s *scanner) value(depth int) (kind byte, text []byte, err error) {
	if s.skipSpace(); s.i >= len(s.b) {
		return 0, nil, BadJSON
	}
	start := s.i
	switch c := s.b[s.i]; c {
	case '"':
		text, err = s.str()
		return '"', text, err
	case '[', '{':
		if depth == maxDepth {
			return 0, nil, BadJSON
		}
		err = s.nested(c, depth+1)
		return c, s.b[start:s.i], err
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		return s.number()
	}
}

func (s *scanner) literal(word string) (byte, []byte, error) {
	if !bytes.HasPrefix(s.b[s.i:], []byte(word)) {
		return 0, nil, BadJSON
	}
	s.i += len(word)
	return word[0], s.b[s.i-len(word) : s.i], nil
}

// number follows the grammar of RFC 8259 section 6.
func (s *scanner) number() (byte, []byte, error) {
	start := s.i
	if s.i < len(s.b) && s.b[s.i] == '-' {
		s.i++
	}
	if first := s.i; s.digits() == 0 || s.b[first] == '0' && s.i-first > 1 {
		return 0, nil, BadJSON
	}
	if s.i < len(s.b) && s.b[s.i] == '.' {
		if s.i++; s.digits() == 0 {
			return 0, nil, BadJSON
		}
	}
	if s.i < len(s.b) && s.b[s.i]|0x20 == 'e' {
		if s.i++; s.i < len(s.b) && (s.b[s.i] == '+' || s.b[s.i] == '-') {
			s.i++
		}
		if s.digits() == 0 {
			return 0, nil, BadJSON
		}
	}
	return '0', s.b[start:s.i], nil
}

func (s *scanner) digits() (n int) {
	for s.i < len(s.b) && '0' <= s.b[s.i] && s.b[s.i] <= '9' {
		s.i, n = s.i+1, n+1
	}
	return n
}

// nested reads over an array or object.
func (s *scanner) nested(open byte, depth int) error {
	s.i++
	if s.take(open + 2) { // ']' and '}' follow their openers by two in ASCII
		return nil
	}
	for {
		if open == '{' {
			s.skipSpace()
			if _, err := s.str(); err != nil {
				return err
			}
			if !s.take(':') {
				return BadJSON
			}
		}
		if _, _, err := s.value(depth); err != nil {
			return err
		}
		if s.take(open + 2) {
			return nil
		}
		if !s.take(',') {
			return BadJSON
		}
	}
}
