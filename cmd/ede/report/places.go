package report

import (
	"io"
	"sync"
	"time"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/figures"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/found"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logfile"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logline"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/timeline"
	"github.com/seed-1b7246af/coredns-ede/plugin/domain"
)

// maxInstances bounds what is kept by instance, of all and of each cause. Those
// beyond it count as one.
const maxInstances = 4096

// A stand is how a cause stands on one instance: whether and when it failed last
// there, and when a recovery was logged.
type stand struct {
	failed          bool
	last, recovered time.Time
}

// over reports whether the cause has ended there.
func (s *stand) over() bool { return !s.recovered.IsZero() && !s.recovered.Before(s.last) }

// meet remembers that an instance has written a line, of any kind.
func (t *tally) meet(r *logline.Record) {
	if name := r.Get(logline.Instance); len(name) > 0 && uint64(len(t.met)) < maxInstances {
		if _, known := t.met[string(name)]; !known {
			t.met[string(name)] = struct{}{}
		}
	}
}

// on returns how c stands on the instance that wrote r. Lines that name none are
// taken to be of one.
func (c *causeTally) on(r *logline.Record) *stand {
	name := r.Get(logline.Instance)
	if s := c.stands[string(name)]; s != nil {
		return s
	}
	if len(c.stands) >= maxInstances {
		name = []byte(other)
	}
	s := c.stands[string(name)]
	if s == nil {
		s = new(stand)
		c.stands[string(name)] = s
	}
	return s
}

// instances is on how many instances c has failed, as far as lines name them.
func (c *causeTally) instances() (n uint64) {
	if c.rolled != nil {
		return c.rolled.instances
	}
	for name, s := range c.stands {
		if name != "" && s.failed {
			n++
		}
	}
	return n
}

// over reports whether c has ended: on each instance, as an incident that many
// see goes on until the last of them has recovered.
func (c *causeTally) over() bool {
	if c.rolled != nil {
		return c.recoveries > 0 && c.rolled.open == 0
	}
	any := false
	for _, s := range c.stands {
		if s.failed && !s.over() {
			return false
		}
		any = any || s.over()
	}
	return any
}

// recovery takes the word that a cause has ended on an instance.
func (t *tally) recovery(a admitted) {
	c := t.causes[a.cause]
	c.recoveries++
	c.longest = max(c.longest, a.AfterSeconds)
	s := c.on(a.Record)
	timeline.Later(&s.recovered, a.Time)
}

// places counts a failure under its instance and its upstream.
func (t *tally) places(r *logline.Record, no int, a *alike) {
	a.stand.failed = true
	timeline.Later(&a.stand.last, r.Time)
	if name := r.Get(logline.Instance); len(name) > 0 {
		a.failing = t.failing.again(a.failing, name, r.Count)
		a.failing.see(r.Time, r.Count, r.CachedCount, no)
	}
	if up := r.Get(logline.Upstream); len(up) > 0 {
		a.upstream = t.upstream.again(a.upstream, up, r.Count)
		a.upstream.see(r.Time, r.Count, r.CachedCount, no)
		a.ofCause = t.causes[no].upstream.again(a.ofCause, up, r.Count)
	}
}

// countNames counts admitted records under their names and zones. It touches nothing that
// count touches, so that the two may run side by side.
func (t *tally) countNames(all []admitted) {
	t.nameHashes = t.names.draw(t.nameHashes, all, logline.QName)
	for i, a := range all {
		switch a.Kind {
		case logline.Query:
			t.nameOf(a, t.nameHashes[i])
		case logline.Summary:
			t.namesOf(a)
		}
	}
}

// nameOf counts the name of a failure with a line of its own, whose hash is told, and its zone.
func (t *tally) nameOf(a admitted, hash uint32) {
	r, no := a.Record, a.cause
	zone := r.Get(logline.Zone)
	if name := r.Get(logline.QName); len(name) > 0 {
		t.names.addHashed(hash, name, r.Count).see(r.Time, r.Count, r.CachedCount, no)
		if len(zone) == 0 {
			zone = t.zoneOf(name)
		}
	}
	t.zone(zone, no, r)
	t.wayOf(a).Add(zone, r.Count)
}

// wayOf returns where failures that went as a did are counted by zone.
func (t *tally) wayOf(a admitted) *found.Zones {
	if a.alike != nil && a.alike.went != nil {
		return a.alike.went
	}
	went := t.ways.Way([]byte(t.causes[a.cause].name), a.Get(logline.Instance), a.Get(logline.Server), a.Get(logline.At), a.Get(logline.Upstream))
	if a.alike != nil {
		a.alike.went = went
	}
	return went
}

// zoneOf is the registered domain of a name. The name ends with it, in all but few logs.
func (t *tally) zoneOf(name []byte) []byte {
	dot := len(name) - 1
	if name[dot] != '.' || dot == 0 {
		t.scratch = append(t.scratch[:0], domain.Of(string(name))...)
		return t.scratch
	}
	return name[dot-t.domains.Length(name[:dot]):]
}

// namesOf counts the names that a summary tells, and its zone.
func (t *tally) namesOf(a admitted) {
	r, no := a.Record, a.cause
	t.zone(r.Get(logline.Zone), no, r)
	t.wayOf(a).Add(r.Get(logline.Zone), r.Count)
	rest := r.Count
	for name, n := range r.TopNames {
		if len(t.filter.Zones) > 0 && !t.filter.holds(string(name)) {
			continue
		}
		n = min(n, rest)
		if n == 0 {
			break
		}
		rest -= n
		t.names.add(name, n).see(r.Time, n, 0, no)
	}
	t.unnamed += rest
}

// zone counts r under a zone.
func (t *tally) zone(zone []byte, no int, r *logline.Record) {
	// "(others)" is how a summary puts many small zones together.
	if len(zone) == 0 || zone[0] == '(' {
		return
	}
	c := t.causes[no]
	c.lastOfCause = c.zones.again(c.lastOfCause, zone, r.Count)
	c.lastZone = t.zones.again(c.lastZone, zone, r.Count)
	c.lastZone.see(r.Time, r.Count, r.CachedCount, no)
}

// take adds a block to the tally.
func (r *run) take(b *logfile.Block) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dirty = true
	r.tally.lines += b.Lines
	for reason, n := range b.Bad {
		r.tally.bad[reason] += n
		r.tally.ours += n
	}
	r.admitted = r.admitted[:0]
	for i := range b.Records {
		rec := &b.Records[i]
		a, wanted := r.tally.admit(rec)
		if !wanted {
			continue
		}
		r.admitted = append(r.admitted, a)
		if b.Live && r.Follow && r.Redraw <= 0 && r.Format == Text {
			io.WriteString(r.Out, figures.Brief(rec, r.Style.Location))
		}
	}
	r.count()
}

// count counts the records of a block that were admitted: under their names and zones, which takes about half of
// the time, and under all else on another processor.
func (r *run) count() {
	var names sync.WaitGroup
	names.Go(func() { r.tally.countNames(r.admitted) })
	r.tally.count(r.admitted)
	names.Wait()
}
