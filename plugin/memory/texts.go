package memory

import (
	"encoding/binary"
	"sync"
)

const (
	// chunk is how many octets of texts are made room for at once.
	chunk = 64 << 10
	// textsPerEntry is how many octets of own texts there is room for, an entry on the
	// average.
	textsPerEntry = 256
)

// texts holds what verdicts say that are a question's own, as a name in them or what a
// stranger wrote: a ring of octets, which the collector does not look into. What is the
// oldest makes room. It takes memory when there is something to hold.
type texts struct {
	mu     sync.RWMutex
	chunks [][]byte
	// next is where the next text goes, counted from the first one ever.
	next uint64
}

func newTexts(entries int) *texts {
	return &texts{chunks: make([][]byte, max(2, (entries*textsPerEntry+chunk-1)/chunk))}
}

// lengthOctets precede a text; a text has less than 2^16 octets.
const lengthOctets = 2

// put returns where text, of at most maxPacked octets, is held from now on.
func (t *texts) put(text []byte) (at uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next%chunk+uint64(len(text))+lengthOctets > chunk {
		t.next += chunk - t.next%chunk
	}
	place := &t.chunks[t.next/chunk%uint64(len(t.chunks))]
	if *place == nil {
		*place = make([]byte, chunk)
	}
	at = t.next
	room := (*place)[at%chunk:]
	binary.LittleEndian.PutUint16(room, uint16(len(text)))
	copy(room[lengthOctets:], text)
	t.next += uint64(len(text)) + lengthOctets
	return at
}

// view calls look with the text at a place, which is gone once look has returned. It
// returns false if another text has taken the place.
func (t *texts) view(at uint64, look func(text []byte)) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if (t.next-1)/chunk-at/chunk >= uint64(len(t.chunks)) {
		return false
	}
	held := t.chunks[at/chunk%uint64(len(t.chunks))][at%chunk:]
	look(held[lengthOctets : lengthOctets+int(binary.LittleEndian.Uint16(held))])
	return true
}
