package upstream

import (
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// remembered bounds what a ledger keeps of a long benchmark: this many names,
// and copies of this many queries.
const remembered = 4096

// ledger counts the queries that reached a handler.
type ledger struct {
	mu      sync.Mutex
	total   int
	byName  map[string]int
	queries []*dns.Msg
	waiting []*waiter
}

type waiter struct {
	name    string
	n       int
	reached chan struct{}
}

func (l *ledger) record(m *dns.Msg) {
	name := questionName(m)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total++
	if l.byName == nil {
		l.byName = make(map[string]int)
	}
	if _, known := l.byName[name]; known || len(l.byName) < remembered {
		l.byName[name]++
	}
	if len(l.queries) < remembered {
		l.queries = append(l.queries, m.Copy())
	}
	l.release()
}

// release runs with the lock held.
func (l *ledger) release() {
	kept := l.waiting[:0]
	for _, w := range l.waiting {
		if l.count(w.name) >= w.n {
			close(w.reached)
			continue
		}
		kept = append(kept, w)
	}
	clear(l.waiting[len(kept):])
	l.waiting = kept
}

func (l *ledger) count(name string) int {
	if name == "" {
		return l.total
	}
	return l.byName[name]
}

// Queries is the number of queries seen so far, health probes included.
func (l *ledger) Queries() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
}

// QueriesFor is the number of queries seen for a name, in any case. Names
// beyond the first 4096 are not counted.
func (l *ledger) QueriesFor(name string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count(dns.CanonicalName(name))
}

// Seen returns copies of the first 4096 queries, oldest first.
func (l *ledger) Seen() []*dns.Msg {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := make([]*dns.Msg, len(l.queries))
	for i, m := range l.queries {
		seen[i] = m.Copy()
	}
	return seen
}

// Await returns once n queries for the name have been seen, of all names if it
// is empty, and fails the test if that takes longer than timeout.
func (l *ledger) Await(t testing.TB, name string, n int, timeout time.Duration) {
	t.Helper()
	w := &waiter{n: n, reached: make(chan struct{})}
	if name != "" {
		w.name = dns.CanonicalName(name)
	}
	l.mu.Lock()
	l.waiting = append(l.waiting, w)
	l.release()
	l.mu.Unlock()

	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-w.reached:
	case <-timer.C:
		l.mu.Lock()
		got := l.count(w.name)
		l.mu.Unlock()
		t.Fatalf("upstream saw %d queries for %q within %v, want %d", got, name, timeout, n)
	}
}

func questionName(m *dns.Msg) string {
	if len(m.Question) == 0 {
		return ""
	}
	return dns.CanonicalName(m.Question[0].Name)
}
