package option

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const ellipsis = "…"

// Sanitize returns s as one line of valid UTF-8 of at most max octets that can
// be logged, shown on a terminal and sent on.
//
// White space of any kind, line separators included, becomes one space, and
// none at either end. A run of invalid octets becomes one U+FFFD. What cannot be
// seen is dropped: control characters, trailing NULs (RFC 8914 section 2 allows
// one), bidirectional controls, zero-width characters and variation selectors.
// ZWJ and ZWNJ go too: some scripts and emoji look poorer without them, but with
// them two texts that read alike can differ.
//
// What is longer than max is cut at a character and ends in "…" if at least one
// character fits before it. Sanitizing twice changes nothing.
func Sanitize(s string, max int) string {
	if max <= 0 {
		return ""
	}
	if len(s) <= max && clean(s) {
		return s
	}
	var b strings.Builder
	b.Grow(min(len(s), max))
	var (
		space   bool // a space is due before the next visible character
		last    rune
		shorter int // octets of b that leave room for the ellipsis
	)
	for _, r := range s {
		if unicode.IsSpace(r) {
			space = b.Len() > 0
			continue
		}
		if !visible(r) || (r == utf8.RuneError && last == r && !space) {
			continue
		}
		n := utf8.RuneLen(r)
		if space {
			n++
		}
		if b.Len()+n > max {
			if shorter > 0 {
				return b.String()[:shorter] + ellipsis
			}
			return b.String()
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
		last = r
		if b.Len()+len(ellipsis) <= max {
			shorter = b.Len()
		}
	}
	return b.String()
}

// clean reports whether s is one line of visible ASCII with single spaces, as
// most texts are.
func clean(s string) bool {
	space := true // one at either end is too many
	for i := range len(s) {
		switch c := s[i]; {
		case c == ' ' && space, c < ' ', c >= 0x7f:
			return false
		default:
			space = c == ' '
		}
	}
	return !space || s == ""
}

// visible is an allow list: what a later Unicode assigns stays out until Go's
// tables know it. The two tables taken off are letters and marks by category
// that nevertheless show nothing.
func visible(r rune) bool {
	if r < utf8.RuneSelf {
		return r > ' ' && r < 0x7f
	}
	return unicode.IsGraphic(r) &&
		!unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}
