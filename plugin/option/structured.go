package option

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Structured reports whether text is a JSON object, as structured errors are
// (draft-ietf-dnsop-structured-dns-error): valid UTF-8 of at most MaxStructured
// octets, without control characters, line ends or bidirectional controls. Such a
// text is for programs. It goes out unchanged and whole or not at all.
func Structured(text string) bool {
	if len(text) > MaxStructured || !strings.HasPrefix(strings.TrimLeft(text, " "), "{") {
		return false
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, steers) {
		return false
	}
	return json.Valid([]byte(text))
}

// steers reports whether r does something to a line instead of standing in it.
func steers(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}
