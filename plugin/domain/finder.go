package domain

import "bytes"

// A Finder finds the registered domains of very many names. The list of public suffixes is
// searched once for all names that end in the same two labels, if it has no rule of more labels
// for these. It is not safe for concurrent use.
type Finder struct{ endings map[string]ending }

const (
	// maxEnds bounds the ends of names that are remembered. Names with other ends are searched
	// for one by one.
	maxEnds = 8192
	// maxEnd is how long they are at most, which two labels of a name are not.
	maxEnd = 128
)

// NewFinder returns a Finder that has not searched yet.
func NewFinder() *Finder { return &Finder{make(map[string]ending)} }

// Length is how many octets of a name, without the final dot, are its registered domain.
// The name has at least one octet.
func (f *Finder) Length(bare []byte) int {
	if !isPlain(bare) {
		return search(string(bare))
	}
	second := bytes.LastIndexByte(bare[:max(bytes.LastIndexByte(bare, '.'), 0)], '.')
	if second < 0 {
		return search(string(bare))
	}
	switch f.ending(bare[second+1:]) {
	case oneLabel, unlisted:
		return len(bare) - 1 - second
	case twoLabels:
		return len(bare) - 1 - bytes.LastIndexByte(bare[:second], '.')
	default:
		return search(string(bare))
	}
}

func (f *Finder) ending(end []byte) ending {
	if e, known := f.endings[string(end)]; known {
		return e
	}
	if len(f.endings) >= maxEnds || len(end) > maxEnd {
		return oneByOne
	}
	name := string(end)
	e := endingOf(deep(), name)
	f.endings[name] = e
	return e
}
