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
	l.tell(summaries, window)
	for _, d := range l.dropped.take() {
		l.pen.write("summary", d.fields(window))
	}
	// Back to lines once a whole window would have fitted the rate.
	if float64(count) < linesPerSecond*window.Seconds() {
		l.summarizing.Store(false)
	}
}

// tell writes one line a summary, or fewer if there are many.
func (l *Log) tell(summaries []incident.Summary, window time.Duration) {
	for _, s := range merge(summaries, maxSummaries, summaryID, addSummary) {
		l.pen.write("summary", summaryFields(s, window))
	}
}

// sweep writes the lines of the incidents that are over.
func (l *Log) sweep() {
	recovered, forgotten := l.table.Sweep()
	if l.options.Mode != LogOff {
		var untold []incident.Summary
		for _, in := range append(forgotten, recovered...) {
			if in.Untold != nil {
				untold = append(untold, *in.Untold)
			}
		}
		l.tell(untold, l.now().Sub(l.began))
		for _, in := range merge(recovered, maxRecovered, endedID, addEnded) {
			l.pen.write("recovered", recoveredFields(in.Incident))
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

// at begins the second of t. What failed before the turn of a second and comes after it counts
// in the later one; any other time before is that of a clock that was set back.
func (r *rate) at(t time.Time) {
	if s := t.Unix(); s != r.second && s != r.second-1 {
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
