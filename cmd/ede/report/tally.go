package report

import (
	"time"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/figures"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/found"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logline"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/timeline"
	"github.com/seed-1b7246af/coredns-ede/plugin/domain"
)

// The limits of what a tally holds, whatever the log. All tables full, with
// keys as long as they can be, come to some 40 MB.
const (
	maxCauses    = 256
	maxNames     = 10000
	maxZones     = 4096
	maxClients   = 4096
	maxSpaces    = 1024
	maxUpstreams = 1024
	maxPerCause  = 64
	maxFindings  = 256
	maxSubjects  = 16384
)

const other = "other"

// A tally is all that is kept of a log.
type tally struct {
	filter   Filter
	left     figures.Filtered
	lines    uint64
	ours     uint64
	notices  uint64
	answers  uint64 // that did not fail and have a reason
	singles  uint64 // failures with a line of their own
	summed   uint64 // failures told by summaries
	unnamed  uint64 // of those, the ones whose name is not told
	named    uint64 // of a store's summaries, the ones whose name is told
	undated  uint64 // failures without a time
	bad      [logline.NumMalformed]uint64
	first    time.Time
	last     time.Time
	causeNo  map[string]int
	causes   []*causeTally
	names    *heavy
	zones    *heavy
	clients  *heavy
	spaces   *heavy // namespaces of clients
	pods     *heavy // of clients: "namespace/pod"
	upstream *heavy
	failing  *heavy              // instances
	met      map[string]struct{} // instances that have written any line
	known    uint64              // instances by the word of a store, if greater
	sent     labels
	findings map[string]*finding
	subjects int             // ways of findings
	ways     *found.Failures // what findings may explain
	missed   uint64          // findings beyond maxFindings
	passed   uint64          // diagnoses of what was answered again
	times    *timeline.Timeline
	// scratch is for the zone of a name, pod for a namespace with a Pod: names are counted
	// while all else is.
	scratch, pod []byte
	domains      *domain.Finder
	// nameHashes and clientHashes are of the records that are being counted.
	nameHashes, clientHashes []uint32
	alikes                   map[uint64]*alike // by Record.Alike
}

// A causeTally is what is kept of one cause.
type causeTally struct {
	name            string
	count, cached   uint64
	first, last     time.Time
	undated         bool
	rcodes, owners  labels
	lasts, codes    labels
	at              labels
	upstream, zones *heavy
	said            map[uint16]*saying // by the most telling INFO-CODE
	advice          string
	recoveries      uint64
	longest         float64 // seconds
	stands          map[string]*stand
	rolled          *rolled // in place of stands, if a store has told
	// lastZone and lastOfCause are the entries of the zone before, in all and in zones.
	lastZone, lastOfCause *entry
}

func newTally(f Filter) *tally {
	return &tally{
		filter:   f,
		causeNo:  make(map[string]int),
		names:    newHeavy(maxNames),
		zones:    newHeavy(maxZones),
		clients:  newHeavy(maxClients),
		spaces:   newHeavy(maxSpaces),
		pods:     newHeavy(maxClients),
		upstream: newHeavy(maxUpstreams),
		failing:  newHeavy(maxInstances),
		met:      make(map[string]struct{}),
		sent:     make(labels),
		findings: make(map[string]*finding),
		ways:     new(found.Failures),
		times:    timeline.New(),
		domains:  domain.NewFinder(),
		alikes:   make(map[uint64]*alike),
	}
}

// add counts a record and says whether it passed the filter. It may change r.
func (t *tally) add(r *logline.Record) bool {
	a, wanted := t.admit(r)
	if wanted {
		t.count([]admitted{a})
		t.countNames([]admitted{a})
	}
	return wanted
}

// count counts admitted records under all but the names and zones.
func (t *tally) count(all []admitted) {
	t.clientHashes = t.clients.draw(t.clientHashes, all, logline.ClientIP)
	for i, a := range all {
		switch a.Kind {
		case logline.Drops:
			t.sent.add(a.Get(logline.Sent), a.Count)
		case logline.Diagnosis:
			t.diagnosis(a.Record)
		case logline.Recovered:
			t.recovery(a)
		default:
			t.failure(a, t.clientHashes[i])
		}
	}
}

func (t *tally) failure(a admitted, client uint32) {
	r, no, like := a.Record, a.cause, a.alike
	n, cached, at := r.Count, r.CachedCount, r.Time
	window := time.Duration(r.WindowSeconds * float64(time.Second))
	start := at
	if !at.IsZero() {
		start = at.Add(-window)
	} else {
		t.undated += n
	}
	timeline.Earlier(&t.first, start)
	timeline.Later(&t.last, at)

	c := t.causes[no]
	c.count += n
	c.cached += cached
	timeline.Earlier(&c.first, start)
	timeline.Later(&c.last, at)
	c.undated = c.undated || at.IsZero()
	t.times.Add(no, at, window, n)
	if r.Kind == logline.Summary {
		t.summary(r, no)
		return
	}
	t.singles++
	if like == nil {
		like = t.begin(no, r)
	}
	for _, count := range like.counts {
		if count != nil {
			*count += n
		}
	}
	t.places(r, no, like)
	like.said.add(r, n)
	keepLast(&c.advice, r.Get(logline.Advice))
	if ip := r.Get(logline.ClientIP); len(ip) > 0 {
		t.clients.addHashed(client, ip, n).see(at, n, cached, no)
	}
	if space := r.Get(logline.ClientNamespace); len(space) > 0 {
		t.spaces.add(space, n).see(at, n, cached, no)
		t.pod = append(append(append(t.pod[:0], space...), '/'), r.Get(logline.ClientPod)...)
		t.pods.add(t.pod, n).see(at, n, cached, no)
	}
}

// summary takes the part of a summary that query lines do not have.
func (t *tally) summary(r *logline.Record, no int) {
	t.summed += r.Count
	c := t.causes[no]
	c.at.add(r.Get(logline.At), r.Count)
	t.places(r, no, &alike{stand: c.on(r)})
	if codes := r.Get(logline.EDE); len(codes) > 0 {
		// It is the incident's own: all of the window had this rcode and code.
		c.rcodes.add(r.Get(logline.RCode), r.Count)
		c.codes.add(codes, r.Count)
		c.saying(r).add(r, r.Count)
	}
}

// cause returns the number of a cause. The catalog is closed, but this may be
// the log of another version, or one that somebody has tampered with.
func (t *tally) cause(name []byte) int {
	if no, ok := t.causeNo[string(name)]; ok {
		return no
	}
	key := string(name)
	if len(t.causes) >= maxCauses-1 {
		if no, ok := t.causeNo[other]; ok {
			return no
		}
		key = other
	}
	t.causeNo[key] = len(t.causes)
	t.causes = append(t.causes, &causeTally{
		name: key, rcodes: make(labels), owners: make(labels), lasts: make(labels), codes: make(labels), at: make(labels),
		upstream: newHeavy(maxPerCause), zones: newHeavy(maxPerCause), said: make(map[uint16]*saying), stands: make(map[string]*stand),
	})
	return len(t.causes) - 1
}
