package observe

import (
	"context"
	"sync"
	"time"

	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/stack"
)

// maxChanges is how many changes of the question are remembered on a path.
const maxChanges = 3

// trail is what most queries do not leave.
type trail struct {
	// background runs are cache's own; nested ones are internal lookups inside
	// their parent.
	background bool
	parent     *Run

	changes [maxChanges]change
	changed int
	failed  outcome
	// failing counts the failing messages seen, below cache included.
	failing int
	// written is the failing message as it was at the time of the write, below
	// the same below cache, with the options that cache strips.
	written, below failingReply
	nested         *evidence.Evidence

	upstreamCtx context.Context
	upstreamTap *tap
	// upstreamEDNS is true if the upstream was asked with an OPT record, which
	// may be one that rewrite added.
	upstreamEDNS bool
	// upstreamBegan is when the upstream was asked, upstreamEnded when that was
	// over, and upstreamFailing how many failing messages had been seen before.
	upstreamBegan, upstreamEnded time.Duration
	upstreamFailing              int
	upstreamStack                stack.Mark
}

// noTrail stands for the trail of a run that left none; it is never written to.
var noTrail = new(trail)

// leaves returns the trail to write to.
func (run *Run) leaves() *trail {
	if run.trail == noTrail {
		run.trail = spareTrails.Get().(*trail)
	}
	return run.trail
}

// spareTrails are those of runs that have ended. A refresh of cache that goes on
// after its query has a run, and a trail, of its own.
var spareTrails = sync.Pool{New: func() any { return new(trail) }}

// End gives back what run holds. Nothing is asked of it any more.
func (run *Run) End() {
	if tr := run.trail; tr != noTrail {
		run.trail = noTrail
		*tr = trail{}
		spareTrails.Put(tr)
	}
}

// change is a question that differs from the one a level above it.
type change struct {
	level    int
	question dns.Question
}

// outcome is what the innermost failing plugin returned.
type outcome struct {
	level int
	rcode int
	err   error
}

// reenter voids what an earlier attempt left at this depth or deeper (autopath
// tries several names, forward's `next` several forwards), and notes a question
// that differs from the one above.
func (run *Run) reenter(r *dns.Msg) {
	run.forget(int(run.depth))
	above := run.Question()
	if run.changed > 0 {
		above = run.changes[run.changed-1].question
	}
	if len(r.Question) == 1 && r.Question[0] != above {
		run.change(int(run.depth), r.Question[0])
	}
}

// forget drops what an earlier attempt left at level or deeper.
func (run *Run) forget(level int) {
	if run.trail == noTrail {
		return
	}
	if run.failed.level >= level {
		run.failed = outcome{}
	}
	for run.changed > 0 && run.changes[run.changed-1].level >= level {
		run.changed--
	}
}

func (run *Run) change(level int, q dns.Question) {
	tr := run.leaves()
	if tr.changed == maxChanges {
		tr.changed--
	}
	tr.changes[tr.changed] = change{level, q}
	tr.changed++
}

// returned notes what the plugin entered last gave back. The innermost one that
// fails is the first to report, and those above it only pass that on.
func (run *Run) returned(rcode int, err error) {
	if err == nil && plugin.ClientWrite(rcode) {
		return
	}
	if tr := run.leaves(); tr.failed.level < int(run.depth) {
		tr.failed = outcome{int(run.depth), rcode, err}
	}
}
