package option

import "slices"

// shortest is the number of octets below which a cut text says nothing; it is
// dropped then.
const shortest = 16

// Arrange returns the options that go into one reply: in the order of opts, the
// first of each INFO-CODE, at most MaxOptions, and at most MaxText octets of text
// together, sanitized. Earlier options get their text first; a later text is
// shortened or dropped. opts is left as it is.
func Arrange(opts []Option) []Option {
	kept := make([]Option, 0, MaxOptions)
	for _, o := range opts {
		if len(kept) == MaxOptions {
			break
		}
		if indexCode(kept, o.Code) < 0 {
			kept = append(kept, o)
		}
	}
	allot(kept, MaxText)
	return kept
}

// Bare returns a copy of opts without texts, for answers that have to stay
// small. Other Error keeps its text, as it says nothing alone (RFC 8914 section
// 4.1).
func Bare(opts []Option) []Option {
	bare := slices.Clone(opts)
	for i := range bare {
		if bare[i].Code != otherError {
			bare[i].Text = ""
		}
	}
	return bare
}

// allot cuts the texts of opts, in place, to room octets together. It sanitizes
// them on the way: this is the last place before the wire, and a text made here
// may quote what somebody else wrote.
func allot(opts []Option, room int) {
	for i := range opts {
		text := &opts[i].Text
		if len(*text) > room && room < shortest {
			*text = ""
		}
		*text = Sanitize(*text, room)
		room -= len(*text)
	}
}
