package option

// shortest is the number of octets below which a cut text says nothing; it is
// dropped then.
const shortest = 16

// Arrange returns the options that go into one reply: in the order of opts, the
// first of each INFO-CODE, at most MaxOptions, and at most MaxText octets of text
// together, fit for the wire. Earlier options get their text first; a later text is
// shortened or dropped. Structured texts, MaxStructured octets of them at most, are
// not counted. opts is left as it is.
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
	allot(kept)
	return kept
}

// allot cuts the texts of opts, in place, to MaxText octets together. It cleans
// them on the way: a text made here may quote what somebody else wrote. A
// structured text stays whole or goes, and is not counted.
func allot(opts []Option) {
	plain, structured := MaxText, MaxStructured
	for i := range opts {
		text := &opts[i].Text
		room := &plain
		if Structured(*text) {
			room = &structured
		}
		*text = cut(*text, *room)
		*room -= len(*text)
	}
}

// cut returns what of text goes into room octets: a structured text whole or not
// at all, another one shortened, or not at all where that would say nothing.
func cut(text string, room int) string {
	if len(text) > room && (room < shortest || Structured(text)) {
		return ""
	}
	return worded(text, room)
}
