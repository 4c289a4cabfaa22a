package observe

import (
	"context"
	"errors"
	"time"

	"github.com/coredns/coredns/plugin/metadata"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// notes is what most queries leave nothing of: a changed question, a failure that a
// plugin returned, an upstream that was asked.
type notes struct {
	// changes are the questions that differ from the one above them.
	changes []change
	// failed is what the plugin gave back that the failure began at.
	failed outcome
	// earlier is what failed before a plugin asked somebody else, and failed itself.
	earlier outcome
	// last is what the plugin gave back that returned last.
	last outcome
	// changed is the plugin that gave back another failing rcode than the one below
	// it, and from which rcode.
	changed outcome
	// asker is the place of the topmost plugin that asked the next one more than once, 0
	// if none did.
	asker uint8

	asked asked
}

// change is a question, and the place of the first plugin that saw it.
type change struct {
	place    uint8
	question dns.Question
}

// maxChanges is how many changes of the question are remembered on a path; of more
// the last ones.
const maxChanges = 3

// outcome is what the plugin at place returned. A place of 0 is none.
type outcome struct {
	place uint8
	rcode int
	err   error
}

// asked is how the plugin below a tap asked its upstreams.
type asked struct {
	// tap is nil if none was asked.
	tap *tap
	// ctx bears the metadata in which forward names the upstream.
	ctx context.Context
	// edns is true if the query had an OPT record, which may be one that rewrite
	// added.
	edns bool
	// ad is the AD bit of the query, which cache sets by itself, and rd its RD bit.
	ad, rd bool
	// began and ended are times of now.
	began, ended time.Duration
	// circled is what the question showed when it failed, where a circle is suspected.
	circled circled
}

// note returns the notes to write to.
func (run *Run) note() *notes {
	if run.notes == nil {
		run.notes = new(notes)
	}
	return run.notes
}

// none are the notes of a run that had nothing to note. They are not written to.
var none notes

// noted returns the notes of a run that has ended.
func (run *Run) noted() *notes {
	if run.notes == nil {
		run.notes = &none
	}
	return run.notes
}

// forget drops what an earlier attempt left at place or below: autopath tries
// several names, for example.
func (run *Run) forget(place uint8) {
	run.forgetMessages(place)
	n := run.notes
	if n == nil {
		return
	}
	for _, o := range []*outcome{&n.failed, &n.earlier, &n.last, &n.changed} {
		if o.place >= place {
			*o = outcome{}
		}
	}
	for len(n.changes) > 0 && n.changes[len(n.changes)-1].place >= place {
		n.changes = n.changes[:len(n.changes)-1]
	}
}

func (n *notes) change(place uint8, q dns.Question) {
	if len(n.changes) == maxChanges {
		n.changes = n.changes[:maxChanges-1]
	}
	n.changes = append(n.changes, change{place, q})
}

// returned notes a failure that the plugin below t gave back. It began at the
// innermost plugin that returned it; those above mostly pass it on.
//
// A plugin that CoreDNS does not ship may have asked somebody else after the ones
// below it failed. What it returns is its own if the error is another one. A plugin that
// asked more than once may return the rcode of any answer: neither it nor one below it
// is said to have changed the rcode.
func (n *notes) returned(t *tap, rcode int, err error) {
	here := outcome{t.place, rcode, err}
	own := err != nil && !isStock(t.name) && !errors.Is(err, n.last.err)
	switch {
	case n.failed.place < t.place:
		n.failed = here
	case own:
		n.earlier, n.failed, n.changed = n.failed, here, outcome{}
	case isFailure(rcode) && isFailure(n.last.rcode) && rcode != n.last.rcode && n.last.place > t.place && (n.asker == 0 || t.place < n.asker):
		n.changed = outcome{place: t.place, rcode: n.last.rcode}
	}
	n.last = here
}

// ask notes that the plugin below t is about to ask an upstream, and returns the
// context for it. forward names the upstream that it asks in the metadata and
// nowhere else; where it has several, and the metadata plugin gave no map, it gets
// one.
func (run *Run) ask(t *tap, ctx context.Context, r *dns.Msg) context.Context {
	if t.upstreams.chooses && metadata.ValueFuncs(ctx) == nil {
		ctx = metadata.ContextWithMetadata(ctx)
	}
	run.note().asked = asked{
		tap: t, ctx: ctx, edns: option.RequestOf(r).HasOPT(), ad: r.AuthenticatedData, rd: r.RecursionDesired, began: now(),
	}
	return ctx
}

// answered notes that the plugin below t has returned, and whether it brought a
// usable answer. w has the question that waited for it, where a circle is suspected.
func (run *Run) answered(t *tap, w waiter, rcode int, err error) {
	asked := &run.note().asked
	if asked.tap != t {
		// Another one below was asked: what came back says nothing of t's upstreams.
		return
	}
	asked.ended = now()
	answered := err == nil && rcode == dns.RcodeSuccess
	if answered {
		t.upstreams.answer(run.answererOf(t), asked.ended)
	}
	good := answered && !run.failureWritten()
	if good {
		t.lastGood.Store(int64(asked.ended))
	}
	asked.circled = t.upstreams.circle.conclude(w, !good)
}

// answererOf is the address of the upstream that gave the plugin below t its answer, "" if
// that is not known.
func (run *Run) answererOf(t *tap) string {
	if t.upstreams.only != "" {
		return t.upstreams.only
	}
	addr, _ := run.upstreamAt(t)
	return addr
}

// upstreamAt is the address of the upstream that the plugin below t named when it
// asked it (then named is true), or of the only one that it has.
func (run *Run) upstreamAt(t *tap) (addr string, named bool) {
	asked := run.notes.asked
	if asked.tap != t {
		return "", false
	}
	if name := metadata.ValueFunc(asked.ctx, "forward/upstream"); name != nil {
		addr = name()
	}
	if t.upstreams.answers[addr] != nil {
		return addr, true
	}
	// A lookup inside this query may have left the name of an upstream of another plugin.
	return t.upstreams.only, false
}
