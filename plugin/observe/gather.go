package observe

import (
	"fmt"
	"time"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metadata"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// Panicked returns the evidence of a run whose chain panicked with v.
func (run *Run) Panicked(v any) *evidence.Evidence {
	e := run.Evidence(evidence.Panicked, dns.RcodeServerFailure, nil)
	e.Panic = option.Sanitize(fmt.Sprint(v), option.MaxText)
	return e
}

// Evidence collects what is known of a run that failed. It is called once the
// chain has returned. Who keeps nothing of it gives it back with Free.
func (run *Run) Evidence(shape evidence.Shape, rcode int, err error) *evidence.Evidence {
	level := run.failedLevel()
	if run.failed.level > 0 && err == nil {
		// tsig logs the error of the plugins below it and keeps it.
		err = run.failed.err
	}
	t := run.tapAt(level)
	e := evidence.New()
	e.Rcode, e.Shape, e.At = rcode, shape, "ede"
	e.Question, e.Asked, e.Name = run.Question(), run.questionAt(level), lower(run.qname)
	e.Opcode, e.CheckingDisabled = int(run.opcode), run.cd
	e.DNSSECOK, e.NoEDNS = run.Request.DO(), run.upstreamTap != nil && !run.upstreamEDNS
	e.Path = run.names(e.Path)
	e.Returned = run.failed.level > 0 && !plugin.ClientWrite(run.failed.rcode)
	e.Background, e.Nested, e.Elapsed = run.background, run.nested, run.elapsed(t)
	if lookups, ok := run.Context.Value(dnsserver.LoopKey{}).(int); ok {
		e.Lookups = lookups
	}
	named, surely := "", false
	if t != nil {
		e.At = t.name
		if t.asksUpstream {
			named, surely = run.upstreamAt(t)
		}
	}
	e.Failure = interpret(err, run.upstreamForward(), named)
	if surely || e.Failure.Kind.Exchanged() {
		e.Upstream = named
	}
	run.addReply(e)
	run.addCache(e)
	if t != nil {
		if t.asksUpstream {
			run.addUpstreams(e, t)
		}
		e.Zone = zoneOf(t.next, e.Asked.Name)
		e.Template = templateFor(t.next, e.Asked)
	}
	return e
}

// elapsed is the time from the query's arrival at a plugin that may take its
// time to the failure below t, and nothing if it came to none.
func (run *Run) elapsed(t *tap) time.Duration {
	switch {
	case run.began == 0:
		return 0
	case t != nil && run.upstreamTap == t && run.upstreamEnded > 0:
		// The clock was read then, and nothing that takes time has followed.
		return run.upstreamEnded - run.began
	}
	return now() - run.began
}

// failedLevel is where on the path the failure began: at the innermost plugin
// that returned one, or else at the innermost that was entered.
func (run *Run) failedLevel() int {
	if run.failed.level > 0 {
		return run.failed.level
	}
	return int(run.entered)
}

func (run *Run) addReply(e *evidence.Evidence) {
	reply := &run.written
	if run.below.seen() {
		reply = &run.below
	}
	e.Reply, e.Options = reply.reply, reply.options
	if run.written.seen() {
		e.Reply.Alias = run.written.reply.Alias
	}
}

func (run *Run) addCache(e *evidence.Evidence) {
	for i := range min(int(run.entered), maxPath) {
		t := run.tapAt(i + 1)
		if t.name != "cache" {
			continue
		}
		e.CacheQuestion = run.questionAt(i + 1)
		if e.CacheQuestion.Name == run.qname {
			e.CacheQuestion.Name = e.Name
		} else {
			e.CacheQuestion.Name = lower(e.CacheQuestion.Name)
		}
		e.CacheHit = i == int(run.entered)-1 && run.written.seen()
	}
	if run.background {
		e.CacheQuestion = run.Question()
		e.CacheQuestion.Name = e.Name
	}
}

// upstreamAt is the address of the upstream that the plugin below t named when it
// asked it, or of the only one that it has and may have asked.
func (run *Run) upstreamAt(t *tap) (addr string, asked bool) {
	if run.upstreamCtx == nil || run.upstreamTap != t {
		return "", false
	}
	if f := metadata.ValueFunc(run.upstreamCtx, "forward/upstream"); f != nil {
		return f(), true
	}
	return t.upstreams.only, false
}

func (run *Run) addUpstreams(e *evidence.Evidence, t *tap) {
	if run.upstreamEnded > 0 {
		e.UpstreamElapsed = run.upstreamEnded - run.upstreamBegan
	}
	e.UpstreamAnswered = e.Failure.Kind == evidence.NoError && e.Reply.Written
	e.Untried = e.Upstream == "" && run.Context.Err() != nil
	if e.Upstream == "" {
		e.Upstream = e.Failure.Peer
	}
	e.Upstreams = t.upstreams.state(e.Upstreams, t.next, e.Upstream)
	asked := e.UpstreamAnswered || e.Failure.Kind.Network() || e.Failure.Kind == evidence.NoHealthy && !e.Untried
	if e.Upstream == "" && len(e.Upstreams) == 1 && asked {
		e.Upstream, e.Upstreams[0].Asked = e.Upstreams[0].Addr, true
	}
	if good := t.lastGood.Load(); good != 0 {
		e.LastGood = wall(time.Duration(good))
	}
	e.Loops = run.comesBack(e.Upstream, e.Asked)
}

// upstreamForward is the handler below the tap that asked an upstream last.
func (run *Run) upstreamForward() plugin.Handler {
	if run.upstreamTap == nil {
		return nil
	}
	return run.upstreamTap.next
}

func (run *Run) tapAt(level int) *tap {
	if level == 0 {
		return nil
	}
	return run.ladder.tapAt(run.path[min(level, maxPath)-1])
}

// names appends the names of the plugins entered, outermost first.
func (run *Run) names(to []string) []string {
	for i := range min(int(run.entered), maxPath) {
		to = append(to, run.tapAt(i+1).name)
	}
	return to
}

// questionAt returns the question that the plugin at level saw.
func (run *Run) questionAt(level int) dns.Question {
	q := run.Question()
	for _, c := range run.changes[:run.changed] {
		if c.level <= level {
			q = c.question
		}
	}
	return q
}

// OutOfCache reports whether cache gave the answer without asking for it.
func (run *Run) OutOfCache() bool {
	t := run.tapAt(int(run.entered))
	return t != nil && t.name == "cache"
}

// BackgroundEvidence is Evidence for a refresh that cache did on its own and
// that returned (rcode, err), or nil if it did not fail.
func (run *Run) BackgroundEvidence(rcode int, err error) *evidence.Evidence {
	switch {
	case run.below.seen() && err == nil:
		return run.Evidence(evidence.Written, run.below.rcode, nil)
	case isFailure(rcode):
		return run.Evidence(evidence.Returned, rcode, err)
	case err != nil:
		return run.Evidence(evidence.Returned, dns.RcodeServerFailure, err)
	}
	return nil
}

// CacheQuestion is the question that cache saw, in lower case, or the client's
// if no cache was entered.
func (run *Run) CacheQuestion() dns.Question {
	q := run.Question()
	for i := range min(int(run.entered), maxPath) {
		if run.tapAt(i+1).name == "cache" {
			q = run.questionAt(i + 1)
		}
	}
	q.Name = lower(q.Name)
	return q
}
