package record

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
)

// Mode is which lines are written.
type Mode uint8

const (
	// LogDefault: a line per failing query, and summaries above
	// linesPerSecond.
	LogDefault Mode = iota
	// LogAll: a line per failing query, whatever their number.
	LogAll
	// LogSummary: the first of each incident, then a line per window.
	LogSummary
	// LogOff: nothing.
	LogOff
)

const (
	// queueLength is how many failures may wait for the sink.
	queueLength = 1024
	// linesPerSecond is where the default turns to summaries.
	linesPerSecond = 100
	// defaultWindow is the window of the summaries that the default turns to.
	defaultWindow = 10 * time.Second
	// While summaries are written, firstPerSecond bounds the lines that announce
	// new incidents, maxSummaries those of a window, and maxRecovered those of
	// the incidents that are found to be over at once: an outage that touches a
	// thousand zones is a thousand incidents. Together, with reasonsPerSecond, they
	// stay below 20 lines in any second.
	firstPerSecond = 3
	maxSummaries   = 10
	maxRecovered   = 5
	// sweepEvery is how often ended incidents are looked for.
	sweepEvery = time.Second
)

// Options configure a Log.
type Options struct {
	Mode   Mode
	Window time.Duration
	Client ClientForm
	// Instance names this process on its lines, "" for none: in JSON, and in text
	// as well if InstanceInText. Lines of many processes end up in one store.
	Instance       string
	InstanceInText bool
}

// Log writes failures from a bounded queue, so that a stalled sink never holds
// up an answer. It is safe for concurrent use.
type Log struct {
	options Options
	table   *incident.Table
	queue   chan *Failure
	events  chan event
	stop    chan struct{}
	done    sync.WaitGroup
	now     func() time.Time

	rate rate
	// reasons bounds the lines of Reason while summaries are written.
	reasons rate
	// answers bounds the lines of Answer.
	answers rate
	pen     pen
	dropped dropped
	// summarizing is true while the default writes summaries.
	summarizing atomic.Bool
	// began is when the window of the next summaries began.
	began time.Time
	// continued is true if another log goes on where this one leaves off, ended
	// once Stop was called, stalled once it gave up on the sink.
	continued, ended, stalled atomic.Bool
}

// event is a line that is no failure: a diagnosis.
type event struct {
	word   string
	fields fields
}

// NewLog returns a log that reads its summaries from table.
func NewLog(o Options, table *incident.Table, now func() time.Time) *Log {
	if o.Window == 0 {
		o.Window = defaultWindow
	}
	return &Log{
		options: o, table: table, now: now,
		queue: make(chan *Failure, queueLength), events: make(chan event, queueLength/8), stop: make(chan struct{}),
		pen: pen{instance: o.Instance, inText: o.InstanceInText},
	}
}

// Continue makes l take over from old, which is about to stop: l writes summaries of table
// if old does. It is to be called before Start.
func (l *Log) Continue(old *Log, table *incident.Table) {
	l.table = table
	l.summarizing.Store(old.summarizing.Load())
	old.continued.Store(true)
}

// Start begins to write.
func (l *Log) Start() {
	l.done.Add(1)
	go l.run()
}

// Stop writes what is queued and what is counted, and ends. It waits for a
// stalled sink for at most a second: a reload has to go on. Queries that are
// under way may still fail; see Failed.
func (l *Log) Stop() {
	l.ended.Store(true)
	close(l.stop)
	ended := make(chan struct{})
	go func() { l.done.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(time.Second):
		l.stalled.Store(true)
	}
}

// Wants reports whether f is to get a line of its own, by Write. Otherwise it
// leaves f to the next summary, which counts what got none.
func (l *Log) Wants(f *Failure) bool {
	if l.options.Mode == LogOff {
		return false
	}
	if l.wants(f) {
		return true
	}
	LogSuppressed.Inc()
	l.table.Untold(&f.Incident, f.Question.Name, f.Cached)
	return false
}

// Write queues a line for f. It never blocks before Stop. After Stop it writes the line
// itself: CoreDNS shuts plugins down before it waits for the queries under way, and the
// goroutine of the log is then gone.
func (l *Log) Write(f *Failure) {
	// A copy waits, so that a failure without a line needs no memory of its own.
	queued := *f
	select {
	case l.queue <- &queued:
	default:
		LogDropped.Inc()
	}
	if l.ended.Load() && !l.stalled.Load() {
		l.drain()
	}
}

// wants decides whether f gets a line of its own.
func (l *Log) wants(f *Failure) bool {
	switch {
	case l.options.Mode == LogAll:
		return true
	case l.ended.Load() && l.continued.Load():
		// The log that goes on tells what the last queries of this one were.
		return false
	case l.ended.Load():
		// No summary follows any more.
		return l.rate.allow(f.Time, linesPerSecond)
	case l.options.Mode == LogDefault:
		if l.rate.allow(f.Time, linesPerSecond) {
			if !l.summarizing.Load() {
				return true
			}
		} else {
			l.summarizing.Store(true)
		}
	}
	return f.First && l.rate.allowFirst(f.Time, firstPerSecond)
}

func (l *Log) run() {
	defer l.done.Done()
	summary := time.NewTicker(l.options.Window)
	defer summary.Stop()
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	l.began = l.now()
	for {
		select {
		case f := <-l.queue:
			l.writeFailure(f)
		case e := <-l.events:
			l.writeEvent(e)
		case <-summary.C:
			guarded(l.summarize)
		case <-sweep.C:
			guarded(l.sweep)
		case <-l.stop:
			l.drain()
			guarded(l.summarize)
			return
		}
	}
}

func (l *Log) drain() {
	for {
		select {
		case f := <-l.queue:
			l.writeFailure(f)
		case e := <-l.events:
			l.writeEvent(e)
		default:
			return
		}
	}
}
