package memory

import (
	"bytes"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
)

const (
	// maxShared is how many verdicts are held that many questions share.
	maxShared = 1024
	// maxCandidates is how many verdicts that one question had are known by their hash:
	// that of a second question is shared.
	maxCandidates = 4096
	// unusedFor is how long no question was given a shared verdict when another may take
	// its place: no entry with it is alive.
	unusedFor = maxAge + time.Minute
	// tries is how many places are looked at for one that is unused.
	tries = 8
	// maxGiven is how many verdicts are known by sight.
	maxGiven = 64
)

// ref says where a verdict is: in the place of a shared one, counted from 1, or, with own
// set, in the texts. 0 is none.
type ref uint64

const (
	own ref = 1 << 63
	// named is set for a shared one that names the question.
	named ref = 1 << 62
)

func sharedAt(place int, packed []byte) ref {
	r := ref(place + 1)
	if isNamed(packed) {
		r |= named
	}
	return r
}

// place is that of a shared one.
func (r ref) place() int { return int(r&^named) - 1 }

// verdicts holds what is said of the questions. Most of them are said the same of: that is
// held once. A stranger who makes up reasons cannot fill the places of those, since a
// verdict is shared only once a second question has the same, and none makes room that is used.
type verdicts struct {
	seed  maphash.Seed
	texts *texts

	mu     sync.RWMutex
	shared []*shared
	places map[uint64]int
	// candidates holds hashes, each in the place that it leads to.
	candidates [maxCandidates]uint64
	// hand is the place that is looked at next for one that is unused.
	hand int

	// given are verdicts that failures of many names were given as they are: to pack one takes
	// longer than all else that is done to remember a name.
	given [maxGiven]atomic.Pointer[given]
}

// given is a verdict, and where it is held.
type given struct {
	verdict *cause.Verdict
	at      ref
	held    *shared
}

// shared is a verdict that many questions have.
type shared struct {
	hash   uint64
	packed []byte
	// verdict is nil if it differs from name to name.
	verdict *cause.Verdict
	// used is when a question was given it last.
	used atomic.Int64
}

func newVerdicts(entries int) *verdicts {
	return &verdicts{seed: maphash.MakeSeed(), texts: newTexts(entries), places: make(map[uint64]int)}
}

// keep holds v, a verdict on a question for name, and returns where, 0 if it is too long.
func (s *verdicts) keep(v *cause.Verdict, name string, now time.Duration) ref {
	if !v.Shared() {
		return s.keepAnew(v, name, now)
	}
	known := &s.given[maphash.Comparable(s.seed, v)%maxGiven]
	if g := known.Load(); g != nil && g.verdict == v && s.holds(g, now) {
		return g.at
	}
	r := s.keepAnew(v, name, now)
	if r != 0 && r&(own|named) == 0 {
		s.mu.RLock()
		known.Store(&given{v, r, s.shared[r.place()]})
		s.mu.RUnlock()
	}
	return r
}

// holds reports whether g is still where it was, and notes that it is used if so.
func (s *verdicts) holds(g *given, now time.Duration) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.shared[g.at.place()] != g.held {
		return false
	}
	g.held.used.Store(int64(now))
	return true
}

func (s *verdicts) keepAnew(v *cause.Verdict, name string, now time.Duration) ref {
	var room [512]byte
	packed, ok := pack(room[:0], v, name)
	if !ok {
		return 0
	}
	return s.hold(packed, now)
}

// hold holds a verdict that is packed, and nothing of packed itself.
func (s *verdicts) hold(packed []byte, now time.Duration) ref {
	hash := maphash.Bytes(s.seed, packed)
	s.mu.RLock()
	place, ok := s.places[hash]
	if ok && bytes.Equal(s.shared[place].packed, packed) {
		s.shared[place].used.Store(int64(now))
		s.mu.RUnlock()
		return sharedAt(place, packed)
	}
	s.mu.RUnlock()
	if !ok && s.again(hash) {
		if place, ok := s.share(hash, packed, now); ok {
			return sharedAt(place, packed)
		}
	}
	return own | ref(s.texts.put(packed))
}

// again reports whether a verdict with that hash was seen before, and sees to it that it is
// the next time.
func (s *verdicts) again(hash uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := &s.candidates[hash%maxCandidates]
	again := *at == hash
	*at = hash
	return again
}

// share holds a verdict for many questions. ok is false if all places are used.
func (s *verdicts) share(hash uint64, packed []byte, now time.Duration) (place int, ok bool) {
	one := &shared{hash: hash, packed: bytes.Clone(packed)}
	if !isNamed(packed) {
		one.verdict = unpack(packed, "")
	}
	one.used.Store(int64(now))
	s.mu.Lock()
	defer s.mu.Unlock()
	if place, ok = s.places[hash]; ok {
		// Another query was faster.
		return place, bytes.Equal(s.shared[place].packed, packed)
	}
	if len(s.shared) < maxShared {
		s.shared = append(s.shared, one)
		s.places[hash] = len(s.shared) - 1
		return len(s.shared) - 1, true
	}
	for range tries {
		s.hand = (s.hand + 1) % maxShared
		if old := s.shared[s.hand]; now-time.Duration(old.used.Load()) > unusedFor {
			delete(s.places, old.hash)
			s.shared[s.hand], s.places[hash] = one, s.hand
			return s.hand, true
		}
	}
	return 0, false
}

// load returns the verdict at r on a question for name, nil if it had to make room. It is
// not to be changed.
func (s *verdicts) load(r ref, name string) (v *cause.Verdict) {
	if r&(own|named) == 0 {
		s.mu.RLock()
		defer s.mu.RUnlock()
		return s.shared[r.place()].verdict
	}
	s.view(r, func(packed []byte) { v = unpack(packed, name) })
	return v
}

// view calls look with what is packed at r, which is not to be kept or changed. It returns
// false if it had to make room.
func (s *verdicts) view(r ref, look func(packed []byte)) bool {
	if r&own != 0 {
		return s.texts.view(uint64(r&^own), look)
	}
	s.mu.RLock()
	packed := s.shared[r.place()].packed
	s.mu.RUnlock()
	look(packed)
	return true
}

// says reports whether the verdict at r on a question for name says what v does.
func (s *verdicts) says(r ref, v *cause.Verdict, name string) (same bool) {
	if r&(own|named) == 0 {
		held := s.load(r, name)
		return held != nil && held.Cause == v.Cause && held.Marks() == v.Marks() && held.Lasts == v.Lasts && held.Owner == v.Owner &&
			held.Advice == v.Advice && held.Own == v.Own && held.At == v.At && held.Upstream == v.Upstream && held.Zone == v.Zone &&
			slices.Equal(held.Statements, v.Statements)
	}
	var room [512]byte
	packed, _ := pack(room[:0], v, name)
	s.view(r, func(held []byte) { same = bytes.Equal(held, packed) })
	return same
}

// use notes that another question is given the verdict at r, which is a shared one.
func (s *verdicts) use(r ref, now time.Duration) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	s.shared[r.place()].used.Store(int64(now))
}
