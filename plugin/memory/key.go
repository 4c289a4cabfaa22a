package memory

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
)

// Key is a question as cache keys it, in one server block.
type Key struct {
	// Block identifies the server block; it changes when the block changes.
	Block uint64
	// Name in lower case, with its closing dot.
	Name          string
	Qtype, Qclass uint16
	DO, CD        bool
	// Refused keeps a REFUSED apart from a SERVFAIL to the same question, which
	// cache may still have.
	Refused bool

	// sealed is its digest, once Seal was called.
	sealed digest
}

// form is one of the eight that the question of a key can have.
type form uint8

const (
	withDO form = 1 << iota
	withCD
	refused

	forms
)

func (k *Key) form() form {
	var f form
	if k.DO {
		f |= withDO
	}
	if k.CD {
		f |= withCD
	}
	if k.Refused {
		f |= refused
	}
	return f
}

// in returns k in the form f.
func (k Key) in(f form) Key {
	k.DO, k.CD, k.Refused = f&withDO != 0, f&withCD != 0, f&refused != 0
	k.sealed = digest{}
	return k
}

// digest stands for a key in the memory, which holds no names.
//
// It is the first half of SHA-256 over a secret of this process and the key. Nobody can
// look for two questions with one digest without the secret, and even with it the search
// is one of 2^64 steps. Among a million questions that were asked by chance two have one
// digest with a probability below 2^-88: a memory that is filled anew each second for the
// age of the universe would have seen none. So the digests are compared, and the names
// are not.
type digest struct{ place, check uint64 }

// secretOctets leaves room for a name of usual length in the one block that SHA-256 takes
// then.
const secretOctets = 16

var secret = func() (s [secretOctets]byte) {
	rand.Read(s[:]) // never fails; see crypto/rand
	return s
}()

// maxShort is how long a name may be for its digest to need no memory of its own.
const maxShort = 256

// Seal makes the digest of k, for a key that is looked up more than once. k is not to be
// changed from then on.
func (k *Key) Seal() { k.sealed = k.digest() }

func (k *Key) digest() digest {
	if k.sealed != (digest{}) {
		return k.sealed
	}
	var room [secretOctets + 13 + maxShort]byte
	b := append(room[:0], secret[:]...)
	b = binary.LittleEndian.AppendUint64(b, k.Block)
	b = binary.LittleEndian.AppendUint16(b, k.Qtype)
	b = binary.LittleEndian.AppendUint16(b, k.Qclass)
	b = append(append(b, byte(k.form())), k.Name...)
	sum := sha256.Sum256(b)
	return digest{binary.LittleEndian.Uint64(sum[:8]), binary.LittleEndian.Uint64(sum[8:16])}
}

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// Hash is NameHash of the key's name, mixed with what else makes the question.
func (k *Key) Hash() uint64 {
	h := NameHash(k.Name)
	for _, b := range []uint64{k.Block, uint64(k.Qtype), uint64(k.Qclass), uint64(k.form())} {
		h = (h ^ b) * fnvPrime
	}
	return h
}

// NameHash is FNV-1a of name in lower case, for filters and estimates: names that share
// one cost a look in vain there, and nothing else.
func NameHash(name string) uint64 {
	h := uint64(fnvOffset)
	for i := range len(name) {
		b := name[i]
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		h = (h ^ uint64(b)) * fnvPrime
	}
	return h
}
