package domain

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
)

// known has what was found of names that end in the same two labels. Mostly names of few zones
// fail, and to search the list costs more than to count a failure. The hash of the two labels picks
// a place. There the last bits of the hash, which the place tells, make room for the ending. Two
// labels are taken for others once in 2^64.
var known [1 << 12]atomic.Uint64

var seed = maphash.MakeSeed()

// Registered returns the registered domain of a name, which is in lower case and has its final dot,
// or its TLD if that is not in the list of public suffixes; "" if it has none. It is safe for
// concurrent use and allocates nothing for most names.
func Registered(name string) string {
	bare := strings.TrimSuffix(name, ".")
	first := strings.LastIndexByte(bare, '.')
	if first < 0 {
		return ""
	}
	second := strings.LastIndexByte(bare[:first], '.')
	if second < 0 || !isPlain(bare) {
		return searched(name, bare)
	}
	switch knownEnding(bare[second+1:]) {
	case oneLabel:
		return name[second+1:]
	case twoLabels:
		return name[1+strings.LastIndexByte(bare[:second], '.'):]
	case unlisted:
		return name[first+1:]
	default:
		return searched(name, bare)
	}
}

// knownEnding is endingOf, which searches only now and then.
func knownEnding(end string) ending {
	const bits = 0xff
	hash := maphash.String(seed, end)
	place := &known[hash%uint64(len(known))]
	if held := place.Load(); held&^bits == hash&^bits && held&bits != 0 {
		return ending(held & bits)
	}
	e := endingOf(deep(), end)
	place.Store(hash&^bits | uint64(e))
	return e
}

// searched is Registered without what is known; bare is name without its final dot.
func searched(name, bare string) string {
	length, listed := find(bare)
	switch {
	case length == 0:
		return ""
	case !listed:
		return name[1+strings.LastIndexByte(plain(bare), '.'):]
	}
	return name[len(bare)-length:]
}
