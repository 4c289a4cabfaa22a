package record

import (
	"sync"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
)

// summarize writes the lines of the window that ends now: what got no line of
// its own. Most windows have none.
func (l *Log) summarize() {
	now := l.now()
	window := now.Sub(l.began)
	l.began = now
	summaries := l.table.Summaries()
	if l.options.Mode == LogOff {
		return
	}
	var count uint64
	for _, s := range summaries {
		count += s.Window
	}
	for _, s := range merge(summaries) {
		write("summary", summaryFields(s, window))
	}
	// Back to lines once a whole window would have fitted the rate.
	if float64(count) < linesPerSecond*window.Seconds() {
		l.summarizing.Store(false)
	}
}

// merge keeps the greatest summaries, and puts the rest together by all but the
// zone, so that no cause is lost.
func merge(all []incident.Summary) []incident.Summary {
	if len(all) <= maxSummaries {
		return all
	}
	kept := all[:maxSummaries/2]
	index := make(map[incident.ID]int)
	for _, s := range all[maxSummaries/2:] {
		id := s.ID
		id.Zone = incident.OtherZones
		i, ok := index[id]
		if !ok && len(kept) >= maxSummaries {
			// More upstreams than lines: keep the cause.
			id.At, id.Upstream = "", ""
			i, ok = index[id]
		}
		if !ok {
			index[id] = len(kept)
			s.ID = id
			kept = append(kept[:len(kept):len(kept)], s)
			continue
		}
		kept[i].Window += s.Window
		kept[i].WindowCached += s.WindowCached
		kept[i].Names += s.Names
	}
	return kept
}

func (l *Log) sweep() {
	recovered, forgotten := l.table.Sweep()
	if l.options.Mode != LogOff {
		now := l.now()
		for _, in := range forgotten {
			write("summary", summaryFields(*in.Untold, now.Sub(l.began)))
		}
		for _, in := range recovered {
			if in.Untold != nil {
				write("summary", summaryFields(*in.Untold, now.Sub(l.began)))
			}
			write("recovered", recoveredFields(in.Incident))
		}
	}
	_, incidents := l.table.Len()
	Incidents.Set(float64(incidents))
}

// rate counts what happens in a second.
type rate struct {
	mu           sync.Mutex
	second       int64
	lines, first int
}

func (r *rate) at(t time.Time) {
	if s := t.Unix(); s != r.second {
		r.second, r.lines, r.first = s, 0, 0
	}
}

// allow reports whether one more line fits into the second of t.
func (r *rate) allow(t time.Time, limit int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at(t)
	r.lines++
	return r.lines <= limit
}

// allowFirst is allow for lines that announce an incident.
func (r *rate) allowFirst(t time.Time, limit int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at(t)
	r.first++
	return r.first <= limit
}
