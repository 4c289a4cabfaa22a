package incident

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/memory"
)

// kept is how far back the history goes.
const kept = time.Hour

// maxEnded is how many incidents that are over are kept.
const maxEnded = 100

// History is what the page and `why` show beyond the incidents themselves: the
// last hour, in bounded memory. A nil History records nothing. It is safe for
// concurrent use; a failure costs one short lock.
type History struct {
	now   func() time.Time
	began time.Time

	mu       sync.Mutex
	failures uint64
	rates    rates
	tops     tops
	recent   recent
	ended    [maxEnded]Incident
	endings  int
	events   events

	names names
	// unresolved is true while a name is known to fail, so that a success has
	// nothing to do when there is none.
	unresolved atomic.Bool
	failing    filter
}

// Detail is one failure as the history keeps it.
type Detail struct {
	// Block is the server block, as in Key.
	Block   uint64
	Verdict *cause.Verdict
	Rcode   int
	// Question is the client's, Asked that of the plugin that failed.
	Question, Asked dns.Question
	// CheckingDisabled is the client's CD bit.
	CheckingDisabled bool
	// Group is the zone that the failure counts under.
	Group string
	// Client is as much of the client's address as may be recorded.
	Client, Server, Protocol string
	// Namespace and Pod are the client's in a cluster, if they are known.
	Namespace, Pod string
	Duration       time.Duration
	// Error is the plugin's error.
	Error string
	// Upstreams are those of the forward that failed, as far as known.
	Upstreams []evidence.Upstream
}

// NewHistory returns an empty history; now is its clock.
func NewHistory(now func() time.Time) *History {
	return &History{now: now, began: now(), names: newNames()}
}

// Failed records d, which it may change.
func (h *History) Failed(d *Detail) {
	if h == nil {
		return
	}
	d.bound()
	now := h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failures++
	h.rates.add(now, d.Verdict.Cause.ID)
	h.tops.add(now, d.Group, d.Verdict.Upstream, d.Question.Name)
	h.recent.add(now, d)
	h.events.seen(now, d.Upstreams)
	if h.names.failed(now, d) {
		h.failing.add(memory.NameHash(d.Question.Name))
		h.unresolved.Store(true)
	}
}

// Explained replaces the verdict of the last shown failure of the question asked in the
// server block by v, which was found out afterwards.
func (h *History) Explained(block uint64, asked dns.Question, v *cause.Verdict) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.recent.explain(block, asked, v)
}

// Quiet reports whether no name is known to fail. It costs one atomic load.
func (h *History) Quiet() bool { return h == nil || !h.unresolved.Load() }

// Succeeded notes a good answer to q, a client's question in the server block, with the CD
// bit cd.
func (h *History) Succeeded(block uint64, q dns.Question, cd bool) {
	if h.Quiet() || !h.failing.mayHave(memory.NameHash(q.Name)) {
		return
	}
	now := h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.names.succeeded(now, block, q, cd) {
		return
	}
	if h.names.failing == 0 {
		h.failing.clear()
		h.unresolved.Store(false)
	}
}

// Why returns what failed of name in the server block during the last hour, the
// latest first.
func (h *History) Why(block uint64, name string) []Episode {
	if h == nil {
		return nil
	}
	now := h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.names.episodes(now, block, name)
}

// end keeps an incident that is over.
func (h *History) end(in Incident) {
	if h == nil {
		return
	}
	in.Over = true
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.ended {
		// At a reload two tables hold the same incident for a while.
		if h.ended[i].ID == in.ID && h.ended[i].First.Equal(in.First) {
			return
		}
	}
	h.ended[h.endings%maxEnded] = in
	h.endings++
}

// Keep makes the table pass incidents that have ended to h.
func (t *Table) Keep(h *History) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.history = h
}
