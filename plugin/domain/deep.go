package domain

import (
	_ "embed"
	"strings"
	"sync"

	"golang.org/x/net/publicsuffix"
)

// deepText has the names of two labels below which the list of public suffixes has rules, one a
// line, after the version of the list that they were taken from. The list does not tell them.
//
//go:embed deep.txt
var deepText string

// deep are those names. It is nil if they are not known for this version of the list.
var deep = sync.OnceValue(func() map[string]bool {
	version, names, _ := strings.Cut(deepText, "\n")
	if version != publicsuffix.List.String() {
		return nil
	}
	all := make(map[string]bool)
	for name := range strings.FieldsSeq(names) {
		all[name] = true
	}
	return all
})

// ending is what is known of all names that end in the same two labels and have others before.
type ending uint8

const (
	// oneByOne: each has to be searched for, since the list has rules of more labels.
	oneByOne ending = 1 + iota
	// oneLabel and twoLabels: their public suffix has as many.
	oneLabel
	twoLabels
	// unlisted: their TLD is not in the list.
	unlisted
)

// endingOf searches for end, two labels of a plain name, where deep are the names of two labels
// that the list has longer rules for.
func endingOf(deep map[string]bool, end string) ending {
	if deep == nil || deep[end] {
		return oneByOne
	}
	switch suffix, listed := suffixOf(end); {
	case suffix == end:
		return twoLabels
	case listed:
		return oneLabel
	}
	return unlisted
}

// isPlain reports whether all dots of a name part labels that are not empty, and whether the
// list cannot read it as an address.
func isPlain[T string | []byte](bare T) bool {
	before := byte('.')
	for i := range len(bare) {
		c := bare[i]
		if c == '\\' || c == ':' || c == '.' && before == '.' {
			return false
		}
		before = c
	}
	return before != '.' && (before < '0' || before > '9')
}
