package control

import (
	"sync"
	"time"
)

// resting is how long a resolver that was silent on all its ways is asked on one of
// them alone.
const resting = time.Minute

// Silence remembers the resolvers that answered nothing on any way, so that their
// outage costs few questions. It is no evidence of anything. The zero value is ready,
// and it is safe for concurrent use.
type Silence struct {
	mu    sync.Mutex
	until map[string]time.Time
}

// Heard notes that resolver was silent, or that it answered.
func (s *Silence) Heard(resolver string, now time.Time, silent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !silent:
		delete(s.until, resolver)
		return
	case s.until == nil || len(s.until) >= maxAnswers:
		s.until = make(map[string]time.Time)
	}
	s.until[resolver] = now.Add(resting)
}

// Rests reports whether resolver was silent on all its ways within the last minute, and
// has not answered since.
func (s *Silence) Rests(resolver string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Before(s.until[resolver])
}

// Good remembers how many queries resolvers had answered well when they first failed
// control questions. The zero value is ready, and it is safe for concurrent use.
type Good struct {
	mu    sync.Mutex
	first map[string]good
}

type good struct {
	at time.Time
	n  uint64
}

// longEnough is how long a resolver has to answer nothing well.
const longEnough = 10 * time.Second

// Nothing reports whether resolver, which fails its control questions now and has
// answered n queries well so far, has answered none of them for longEnough.
func (g *Good) Nothing(resolver string, now time.Time, n uint64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if known, ok := g.first[resolver]; ok && known.n == n {
		return now.Sub(known.at) >= longEnough
	}
	if g.first == nil || len(g.first) >= maxAnswers {
		g.first = make(map[string]good)
	}
	g.first[resolver] = good{now, n}
	return false
}
