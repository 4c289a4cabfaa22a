package incident

import (
	"fmt"
	"strconv"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

const (
	// maxEvents is how many changes are kept.
	maxEvents = 64
	// maxDown is how many upstreams are known to be down at most.
	maxDown = 64
	// before and after are how far from an incident's beginning a change is
	// still told with it. Health checks need some time to find an upstream
	// down that has begun to fail.
	before = 5 * time.Minute
	after  = 15 * time.Second
)

// EventKind is what changed.
type EventKind string

// The kinds of events.
const (
	Started      EventKind = "start"
	Reloaded     EventKind = "reload"
	UpstreamDown EventKind = "upstream_down"
	UpstreamUp   EventKind = "upstream_up"
)

// Event is a change that an incident may have begun after.
type Event struct {
	Kind EventKind
	// Upstream is its address, for the kinds about one.
	Upstream string
	Time     time.Time
}

// String returns what happened, for example "upstream 192.0.2.53:53 went down".
func (e Event) String() string {
	switch e.Kind {
	case UpstreamDown:
		return "upstream " + e.Upstream + " went down"
	case UpstreamUp:
		return "upstream " + e.Upstream + " came back"
	}
	return string(e.Kind)
}

// events is a ring of what changed.
type events struct {
	ring  [maxEvents]Event
	count int
	down  map[string]bool
}

func (es *events) add(e Event) {
	es.ring[es.count%maxEvents] = e
	es.count++
}

// seen notes which upstreams went down or came back since a failure showed
// their state the last time.
func (es *events) seen(now time.Time, upstreams []evidence.Upstream) {
	for _, u := range upstreams {
		addr := clip(u.Addr, maxWord)
		switch {
		case u.Down && !es.down[addr]:
			if es.down == nil {
				es.down = make(map[string]bool)
			}
			if len(es.down) >= maxDown {
				continue
			}
			es.down[addr] = true
			since := u.Since
			if since.IsZero() {
				since = now
			}
			es.add(Event{UpstreamDown, addr, since})
		case !u.Down && es.down[addr]:
			delete(es.down, addr)
			es.add(Event{UpstreamUp, addr, now})
		}
	}
}

// list returns the events of the last hour, the latest first.
func (es *events) list(now time.Time) []Event {
	var all []Event
	for i := range min(es.count, maxEvents) {
		e := es.ring[(es.count-1-i)%maxEvents]
		if now.Sub(e.Time) > kept {
			continue
		}
		e.Upstream = option.Sanitize(e.Upstream, maxWord)
		all = append(all, e)
	}
	return all
}

// Changed records a start or a reload.
func (h *History) Changed(kind EventKind) {
	if h == nil {
		return
	}
	now := h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events.add(Event{Kind: kind, Time: now})
}

// Beginning returns what changed shortly before or after the incident in began, or "". It
// says what came first, and claims no more.
func (s *Snapshot) Beginning(in Incident) string {
	var nearest *Event
	distance := before + 1
	for i := range s.Events {
		e := &s.Events[i]
		gap, ok := e.gap(in)
		if !ok {
			continue
		}
		if in.Upstream != "" && e.Upstream == in.Upstream {
			// It says more than any other change.
			gap = 0
		}
		if gap.Abs() < distance {
			nearest, distance = e, gap.Abs()
		}
	}
	if nearest == nil {
		return ""
	}
	gap := in.First.Sub(nearest.Time)
	if gap < 0 {
		return fmt.Sprintf("%s %s after it began", nearest, seconds(-gap))
	}
	return fmt.Sprintf("began %s after %s", seconds(gap), nearest)
}

// gap returns how long before the beginning of in the change was, and
// whether it is near enough in time and kind to be told.
func (e Event) gap(in Incident) (time.Duration, bool) {
	if e.Kind == Started && !startTells(in) {
		return 0, false
	}
	gap := in.First.Sub(e.Time)
	if gap > before || gap < -after {
		return 0, false
	}
	if e.Upstream == "" {
		return gap, gap >= 0
	}
	if gap < 0 {
		return gap, e.Kind == UpstreamDown && e.Upstream == in.Upstream
	}
	return gap, in.Upstream != "" || in.At == "forward"
}

// startTells reports whether it says something of in that this server has just
// started: it may not be ready yet. Upstreams and zones do not know of it, and a
// policy is meant.
func startTells(in Incident) bool {
	c := cause.ByID(in.Cause)
	return in.Owner == string(cause.Us) && (c == nil || !c.Policy)
}

func seconds(d time.Duration) string {
	return strconv.Itoa(int(d.Round(time.Second)/time.Second)) + " s"
}
