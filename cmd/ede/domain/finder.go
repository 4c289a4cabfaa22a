package domain

import (
	"bytes"
	_ "embed"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// deep has the names of two labels below which the list of public suffixes has rules, one a
// line, after the version of the list that they were taken from. The list does not tell them.
//
//go:embed deep.txt
var deep string

// A Finder finds the registered domains of very many names. The list of public suffixes is
// searched once for all names that end in the same two labels, if it has no rule of more labels
// for these. It is not safe for concurrent use.
type Finder struct {
	// labels is how many labels the public suffix of names has that end in two labels, 0 if
	// it may depend on the labels before. It is nil if that is not known for this version of
	// the list.
	labels map[string]uint8
}

const (
	// maxEnds bounds the ends of names that are remembered. Names with other ends are searched
	// for one by one.
	maxEnds = 8192
	// maxEnd is how long they are at most, which two labels of a name are not.
	maxEnd = 128
)

// NewFinder returns a Finder that has not searched yet.
func NewFinder() *Finder {
	version, names, _ := strings.Cut(deep, "\n")
	if version != publicsuffix.List.String() {
		return new(Finder)
	}
	f := &Finder{labels: make(map[string]uint8)}
	for name := range strings.FieldsSeq(names) {
		f.labels[name] = 0
	}
	return f
}

// Length is how many octets of a name, without the final dot, are its registered domain.
// The name has at least one octet.
func (f *Finder) Length(bare []byte) int {
	if f.labels == nil || !isPlain(bare) {
		return search(string(bare))
	}
	second := bytes.LastIndexByte(bare[:max(bytes.LastIndexByte(bare, '.'), 0)], '.')
	if second < 0 {
		return search(string(bare))
	}
	switch f.suffixLabels(bare[second+1:]) {
	case 1:
		return len(bare) - 1 - second
	case 2:
		return len(bare) - 1 - bytes.LastIndexByte(bare[:second], '.')
	default:
		return search(string(bare))
	}
}

// suffixLabels is how many labels the public suffix of names has that end in those two labels
// and have others before, 0 if that is not known.
func (f *Finder) suffixLabels(end []byte) uint8 {
	if n, known := f.labels[string(end)]; known {
		return n
	}
	if len(f.labels) >= maxEnds || len(end) > maxEnd {
		return 0
	}
	name := string(end)
	n := uint8(1)
	if suffix, _ := publicsuffix.PublicSuffix(name); suffix == name {
		n = 2
	}
	f.labels[name] = n
	return n
}

// isPlain reports whether all dots of a name part labels that are not empty, and whether the
// list cannot read it as an address.
func isPlain(bare []byte) bool {
	before := byte('.')
	for _, c := range bare {
		if c == '\\' || c == ':' || c == '.' && before == '.' {
			return false
		}
		before = c
	}
	return before != '.' && (before < '0' || before > '9')
}
