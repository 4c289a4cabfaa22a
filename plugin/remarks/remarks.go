// Package remarks remembers what upstreams said of questions: the INFO-CODEs and texts of
// their Extended DNS Errors (RFC 8914), never an OPT record (RFC 6891 section 6.2.1). The
// memory is bounded in questions and in octets, and holds no pointers, so that the
// garbage collector has nothing to follow in it.
package remarks

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coredns/coredns/plugin/pkg/response"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// Question is the key of a remark: a question as cache knows it, in one server block.
type Question struct {
	// Block identifies the server block.
	Block uint64
	// Name in lower case, with its closing dot.
	Name          string
	Qtype, Qclass uint16
	DO, CD        bool
	// Rcode is that of the answer, Kind how CoreDNS sorts it, and Answering whether it has
	// a record of the type asked for.
	Rcode     int
	Kind      response.Type
	Answering bool
	// Upstream is the one that a reason for a failure is of; empty for answers.
	Upstream string
}

// Said is what an upstream said of a question. It has no options if the upstream was
// asked and gave none.
type Said struct {
	Options []option.Option
	// By is the upstream's address, as it may be shown.
	By string
	// At is when it was said.
	At time.Time
}

// Memory holds what was said. It is safe for concurrent use. A nil Memory is empty.
type Memory struct {
	now   func() time.Time
	seeds [2]maphash.Seed
	// most is how many questions a generation holds, and room how many octets.
	most, room int
	// holding is false if there is nothing in it.
	holding atomic.Bool

	mu sync.RWMutex
	// young takes what is new; once it is full it becomes old, and what was old is
	// forgotten.
	young, old generation
}

// key stands for a question. The seeds are drawn at random, so that nobody can look for
// two questions with one key.
type key [2]uint64

// generation has no pointers but the two to its own memory.
type generation struct {
	records map[key]record
	octets  []byte
}

// record is where the octets of what was said stand. Times are nanoseconds of Unix time.
type record struct {
	at, until    int64
	from, length uint32
}

// octetsEach is how many octets of the memory for texts a question may use, on average.
const octetsEach = 64

// New returns a memory for at most entries questions; now is its clock.
func New(entries int, now func() time.Time) *Memory {
	return &Memory{
		now: now, seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		most: max(entries/2, 1), room: max(entries/2*octetsEach, maxSaid),
	}
}

func (m *Memory) keyOf(q Question) key {
	return key{maphash.Comparable(m.seeds[0], q), maphash.Comparable(m.seeds[1], q)}
}

// Put remembers what was said of q for the duration life, in place of earlier remarks. A
// life of 0 or less forgets them.
func (m *Memory) Put(q Question, said Said, life time.Duration) {
	if life <= 0 {
		m.Forget(q)
		return
	}
	k, octets := m.keyOf(q), said.octets()
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.old.records, k)
	if len(m.young.records) >= m.most || len(m.young.octets)+len(octets) > m.room {
		m.old, m.young = m.young, generation{}
		delete(m.old.records, k)
	}
	if m.young.records == nil {
		m.young.records = make(map[key]record)
	}
	m.young.records[k] = record{
		at: said.At.UnixNano(), until: m.now().Add(life).UnixNano(),
		from: uint32(len(m.young.octets)), length: uint32(len(octets)),
	}
	m.young.octets = append(m.young.octets, octets...)
	m.holding.Store(true)
}

// Get returns what was said of q.
func (m *Memory) Get(q Question) (Said, bool) {
	if m.Quiet() {
		return Said{}, false
	}
	k, now := m.keyOf(q), m.now().UnixNano()
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, g := range []*generation{&m.young, &m.old} {
		if r, ok := g.records[k]; ok {
			if r.until <= now {
				return Said{}, false
			}
			return saidOf(g.octets[r.from:r.from+r.length], time.Unix(0, r.at)), true
		}
	}
	return Said{}, false
}

// Forget drops what was said of q.
func (m *Memory) Forget(q Question) {
	if m.Quiet() {
		return
	}
	k := m.keyOf(q)
	m.mu.RLock()
	_, young := m.young.records[k]
	_, old := m.old.records[k]
	m.mu.RUnlock()
	if !young && !old {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.young.records, k)
	delete(m.old.records, k)
	if len(m.young.records)+len(m.old.records) == 0 {
		m.young, m.old = generation{}, generation{}
		m.holding.Store(false)
	}
}

// Quiet reports whether nothing is remembered. It costs one atomic load.
func (m *Memory) Quiet() bool { return m == nil || !m.holding.Load() }

// Len is how many questions are held, those included whose time is over.
func (m *Memory) Len() int {
	if m == nil {
		return 0
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.young.records) + len(m.old.records)
}
