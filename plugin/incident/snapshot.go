package incident

import (
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// Snapshot is the table and its history at one moment. All strings in it are
// harmless text, on one line.
type Snapshot struct {
	Now time.Time
	// Since is when recording began, Failures how many there were since.
	Since    time.Time
	Failures uint64
	// Open are the incidents that go on, the one that failed last first; Ended
	// those that were over within the last hour, the latest first.
	Open, Ended []Incident
	// Rates, Zones, Upstreams and Names are of the last hour.
	Rates                   []Rate
	Zones, Upstreams, Names []Top
	Events                  []Event
	// Recent are the last failures, the latest first.
	Recent []Recent
}

// Snapshot returns what the table and its history hold.
func (t *Table) Snapshot() *Snapshot {
	now := t.now()
	s := &Snapshot{Now: now.UTC(), Open: t.Incidents()}
	t.mu.Lock()
	h := t.history
	t.mu.Unlock()
	if h != nil {
		h.snapshot(s)
	}
	for _, list := range [][]Incident{s.Open, s.Ended} {
		for i := range list {
			list[i].sanitize()
		}
	}
	return s
}

func (h *History) snapshot(s *Snapshot) {
	h.mu.Lock()
	s.Since, s.Failures = h.began.UTC(), h.failures
	s.Rates = h.rates.list(s.Now)
	s.Zones = h.tops.list(s.Now, func(slot *topSlot) sketch { return slot.zones })
	s.Upstreams = h.tops.list(s.Now, func(slot *topSlot) sketch { return slot.upstreams })
	s.Names = h.tops.list(s.Now, func(slot *topSlot) sketch { return slot.names })
	s.Events = h.events.list(s.Now)
	for i := range min(h.endings, maxEnded) {
		if in := h.ended[(h.endings-1-i)%maxEnded]; s.Now.Sub(in.Last) <= kept {
			s.Ended = append(s.Ended, in)
		}
	}
	failures := h.recent.raw(s.Now)
	h.mu.Unlock()

	for _, tops := range [][]Top{s.Zones, s.Upstreams, s.Names} {
		for i := range tops {
			tops[i].Name = option.Sanitize(tops[i].Name, maxName)
		}
	}
	for i := range failures {
		s.Recent = append(s.Recent, failures[i].shown())
	}
}

func (in *Incident) sanitize() {
	in.At = option.Sanitize(in.At, maxWord)
	in.Upstream = option.Sanitize(in.Upstream, maxWord)
	in.Zone = option.Sanitize(in.Zone, maxName)
	in.Advice = option.Sanitize(in.Advice, maxText)
}
