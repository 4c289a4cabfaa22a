package observe

import (
	"context"
	"errors"
	"time"

	"github.com/coredns/coredns/plugin/metadata"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
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
	// nested is the evidence of the last internal lookup inside this run, if it failed.
	nested *evidence.Evidence

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
	rcode int32
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

// none are the notes of a run that had nothing to note. They are not written to.
var none notes

// noted returns the notes of a run that has ended.
func (run *Run) noted() *notes {
	if n := run.notes.Load(); n != nil {
		return n
	}
	return &none
}

// note has write make a note. A plugin may go on in goroutines of its own after the
// chain has returned: then there is nothing to note any more.
func (run *Run) note(write func(*notes)) {
	run.mu.Lock()
	defer run.mu.Unlock()
	if run.ended {
		return
	}
	n := run.notes.Load()
	if n == nil {
		n = new(notes)
		run.notes.Store(n)
	}
	write(n)
}

// forget drops what an earlier attempt left at place or below: autopath tries
// several names, for example. asker is the place of the plugin that asks again.
func (run *Run) forget(place, asker uint8) {
	run.note(func(n *notes) {
		for run.recorders != nil && run.recorders.message.place >= place {
			run.recorders = run.recorders.above
		}
		for _, o := range []*outcome{&n.failed, &n.earlier, &n.last, &n.changed} {
			if o.place >= place {
				*o = outcome{}
			}
		}
		for len(n.changes) > 0 && n.changes[len(n.changes)-1].place >= place {
			n.changes = n.changes[:len(n.changes)-1]
		}
		if n.asker == 0 || asker < n.asker {
			n.asker = asker
		}
	})
}

// see notes that the plugin at place was asked q, if that is not what those above it
// were asked.
func (run *Run) see(place uint8, q dns.Question) {
	run.note(func(n *notes) {
		if q == n.questionAt(place, run.question) {
			return
		}
		if len(n.changes) == maxChanges {
			n.changes = n.changes[:maxChanges-1]
		}
		n.changes = append(n.changes, change{place, q})
	})
}

// questionAt is the question that the plugin at place saw, where the client asked q.
func (n *notes) questionAt(place uint8, q dns.Question) dns.Question {
	for _, c := range n.changes {
		if c.place <= place {
			q = c.question
		}
	}
	return q
}

// questionAt is the question that the plugin at place saw, in a run that has ended.
func (run *Run) questionAt(place uint8) dns.Question {
	return run.noted().questionAt(place, run.question)
}

// returned notes a failure that the plugin below t gave back. It began at the
// innermost plugin that returned it; those above mostly pass it on.
//
// A plugin that CoreDNS does not ship may have asked somebody else after the ones
// below it failed. What it returns is its own if the error is another one. A plugin that
// asked more than once may return the rcode of any answer: neither it nor one below it
// is said to have changed the rcode.
func (run *Run) returned(t *tap, rcode int, err error) {
	run.note(func(n *notes) {
		here := outcome{t.place, int32(rcode), err}
		own := err != nil && !t.stock && !errors.Is(err, n.last.err)
		switch {
		case n.failed.place < t.place:
			n.failed = here
		case own:
			n.earlier, n.failed, n.changed = n.failed, here, outcome{}
		case isFailure(rcode) && isFailure(int(n.last.rcode)) && here.rcode != n.last.rcode && n.last.place > t.place && (n.asker == 0 || t.place < n.asker):
			n.changed = outcome{place: t.place, rcode: n.last.rcode}
		}
		n.last = here
	})
}

// ask notes that the plugin below t is about to ask an upstream, and returns the
// context for it. forward names the upstream that it asks in the metadata and
// nowhere else; where it has several, and the metadata plugin gave no map, it gets
// one.
func (run *Run) ask(t *tap, ctx context.Context, r *dns.Msg) context.Context {
	if t.upstreams.chooses && metadata.ValueFuncs(ctx) == nil {
		ctx = metadata.ContextWithMetadata(ctx)
	}
	run.note(func(n *notes) {
		n.asked = asked{
			tap: t, ctx: ctx, edns: option.RequestOf(r).HasOPT(), ad: r.AuthenticatedData, rd: r.RecursionDesired, began: now(),
		}
	})
	return ctx
}

// answered notes that the plugin below t has returned, and whether it brought a
// usable answer. w has the question that waited for it, where a circle is suspected.
func (run *Run) answered(t *tap, w waiter, rcode int, err error) {
	asked := run.lastAsked()
	if asked.tap != t || run.trail.load().place() != t.place {
		// Another one below was asked: what came back says nothing of t's upstreams.
		return
	}
	asked.ended = now()
	answered := err == nil && rcode == dns.RcodeSuccess
	if answered {
		t.upstreams.answer(asked.answerer(), asked.ended)
	}
	good := answered && run.answeredWell()
	if good {
		t.lastGood.Store(int64(asked.ended))
	}
	asked.circled = t.upstreams.circle.conclude(w, !good)
	run.note(func(n *notes) {
		if n.asked.tap == t {
			n.asked = asked
		}
	})
}

// lastAsked is how the last plugin that asked upstreams did so.
func (run *Run) lastAsked() asked {
	run.mu.Lock()
	defer run.mu.Unlock()
	return run.noted().asked
}

// answerer is the address of the upstream that gave the answer, "" if that is not known.
func (a *asked) answerer() string {
	if a.tap.upstreams.only != "" {
		return a.tap.upstreams.only
	}
	addr, _ := a.upstreamOf(a.tap)
	return addr
}

// upstreamOf is the address of the upstream that the plugin below t named when it
// asked it (then named is true), or of the only one that it has. It is "" if another
// plugin asked last.
func (a *asked) upstreamOf(t *tap) (addr string, named bool) {
	if a.tap != t {
		return "", false
	}
	if name := metadata.ValueFunc(a.ctx, "forward/upstream"); name != nil {
		addr = name()
	}
	if t.upstreams.answers[addr] != nil {
		return addr, true
	}
	// A lookup inside this query may have left the name of an upstream of another plugin.
	return t.upstreams.only, false
}
