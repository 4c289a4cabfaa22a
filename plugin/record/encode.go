package record

import (
	"log/slog"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// appendText appends the fields as key=value words.
func appendText(b []byte, fs fields) []byte {
	for i := range fs {
		f := &fs[i]
		if len(b) > 0 {
			b = append(b, ' ')
		}
		b = append(b, f.key...)
		b = append(b, '=')
		switch f.kind {
		case textField:
			b = appendValue(b, f.text)
		case numberField:
			b = strconv.AppendUint(b, f.num, 10)
		case secondsField:
			b = strconv.AppendFloat(b, f.float, 'f', -1, 64)
		case boolField:
			b = strconv.AppendBool(b, f.yes)
		case codesField:
			for j, code := range f.codes {
				if j > 0 {
					b = append(b, ',')
				}
				b = strconv.AppendUint(b, uint64(code), 10)
			}
		}
	}
	return b
}

// appendValue quotes s where a word would not do. Whatever could break a line
// or a terminal is escaped, bidirectional controls included.
func appendValue(b []byte, s string) []byte {
	if isWord(s) {
		return append(b, s...)
	}
	b = append(b, '"')
	for len(s) > 0 {
		if n := plain(s); n > 0 {
			b, s = append(b, s[:n]...), s[n:]
			continue
		}
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			b = append(b, `\x`...)
			b = append(b, hex(s[0]>>4), hex(s[0]))
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case unicode.IsPrint(r):
			b = append(b, s[:size]...)
		default:
			quoted := strconv.AppendQuoteRuneToASCII(nil, r)
			b = append(b, quoted[1:len(quoted)-1]...)
		}
		s = s[size:]
	}
	return append(b, '"')
}

// plain returns how many octets s begins with that need no look at each: visible
// ASCII but for what is escaped.
func plain(s string) int {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return i
		}
	}
	return len(s)
}

func hex(b byte) byte { return "0123456789abcdef"[b&15] }

// isWord reports whether s can stand without quotes.
func isWord(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-' || c == '_' || c == '.' || c == ':' || c == '/' || c == ',' || c == '@' || c == '%' || c == '+' || c == '*' || c == '[' || c == ']':
		default:
			return false
		}
	}
	return true
}

// attrs returns the fields as typed attributes for CoreDNS's JSON log, whose
// handler escapes them.
func attrs(fs fields) []slog.Attr {
	as := make([]slog.Attr, 0, len(fs)+1)
	as = append(as, slog.String("plugin", "ede"))
	for _, f := range fs {
		switch f.kind {
		case textField:
			as = append(as, slog.String(f.key, f.text))
		case numberField:
			as = append(as, slog.Uint64(f.key, f.num))
		case secondsField:
			as = append(as, slog.Float64(f.key, f.float))
		case boolField:
			as = append(as, slog.Bool(f.key, f.yes))
		case codesField:
			as = append(as, slog.Any(f.key, f.codes))
		}
	}
	return as
}
