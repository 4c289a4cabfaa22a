package logline

import "hash/maphash"

// seeds has one for each field whose values make records alike, so that a value of one field is
// not taken for that of another.
var seeds = func() (seeds [numFields]*maphash.Seed) {
	for _, f := range [...]Field{RCode, Cause, EDE, Lasts, Owner, At, Upstream, Server, Sent, Instance} {
		seed := maphash.MakeSeed()
		seeds[f] = &seed
	}
	return seeds
}()

// sumOf is what a value adds to Record.Alike.
func sumOf(f Field, val []byte) uint64 {
	if f >= numFields || seeds[f] == nil || len(val) == 0 {
		return 0
	}
	return maphash.Bytes(*seeds[f], val)
}
