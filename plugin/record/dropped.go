package record

import (
	"sync"
	"time"

	"github.com/coredns/coredns/plugin"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

var droppedTotal = promauto.NewCounterVec(prometheus.CounterOpts{
	Namespace: plugin.Namespace, Subsystem: subsystem, Name: "dropped_total",
	Help: "Queries that a plugin dropped with an error, so that no answer was sent.",
}, []string{"server", "at"})

var droppedCounters atHand[dropKey, prometheus.Counter]

const (
	// maxDrops is how many kinds of drops a window tells apart; those beyond are
	// told of plugin "other".
	maxDrops = 8
	// maxDropText bounds the error of a line, in octets.
	maxDropText = 300
)

// Drop is a query that the chain left without an answer on purpose: it wrote
// nothing and returned rcode 0 with an error, as a rate limiter does.
type Drop struct {
	// Server is the listener, At the plugin.
	Server, At string
	// Error returns the text of the error. It is called only for the first drop of a
	// window: a limiter drops most queries when the server is busiest. It may be nil.
	Error func() string
}

type dropKey struct{ server, at string }

type drops struct {
	key   dropKey
	count uint64
	err   string
}

// dropped counts what was dropped since the last summary.
type dropped struct {
	mu  sync.Mutex
	all map[dropKey]*drops
	// order is that of the first of each.
	order []*drops
}

// Dropped counts d. A dropped query gets no line of its own, whatever the mode;
// the next summary tells how many there were.
func (l *Log) Dropped(d Drop) {
	droppedCounters.of(&dropKey{d.Server, d.At}, func(k *dropKey) prometheus.Counter {
		return droppedTotal.WithLabelValues(k.server, k.at)
	}).Inc()
	if l.options.Mode != LogOff {
		l.dropped.add(d)
	}
}

func (s *dropped) add(d Drop) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := dropKey{d.Server, d.At}
	if s.all[key] == nil && len(s.order) >= maxDrops-1 {
		key = dropKey{at: "other"}
	}
	known := s.all[key]
	if known == nil {
		known = &drops{key: key}
		if d.Error != nil && key.at == d.At {
			known.err = option.Sanitize(d.Error(), maxDropText)
		}
		if s.all == nil {
			s.all = make(map[dropKey]*drops)
		}
		s.all[key], s.order = known, append(s.order, known)
	}
	known.count++
}

// take returns what was counted, and begins anew.
func (s *dropped) take() []*drops {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.order
	s.all, s.order = nil, nil
	return all
}

func (d *drops) fields(window time.Duration) fields {
	fs := make(fields, 0, 6)
	fs.text("sent", string(Dropped))
	fs.text("at", d.key.at)
	fs.text("server", d.key.server)
	fs.number("count", d.count)
	fs.seconds("window_seconds", window)
	fs.text("error", d.err)
	return fs
}
