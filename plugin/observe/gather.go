package observe

import (
	"time"

	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// Evidence collects what is known of a run that failed. It is called once the run has
// ended.
func (run *Run) Evidence(shape evidence.Shape, rcode int, err error) *evidence.Evidence {
	e := run.outside(shape, rcode)
	e.Options, e.Reply = run.written.failure.options, run.written.failure.reply
	if !run.whole {
		// It was asked in parallel, or the recording ended early: who failed is not known.
		e.At, e.Failure = "", interpret(err, nil, "")
		return e
	}
	n := run.noted()
	place := run.failedPlace()
	if err == nil && run.ownWriter() == 0 && run.staleFrom() == 0 {
		// tsig logs the error of the plugins below it and keeps it.
		err = n.failed.err
	}
	e.Asked = run.questionAt(place)
	e.NoEDNS = n.asked.tap != nil && !n.asked.edns
	e.AskedAD, e.AskedRD = n.asked.ad, n.asked.rd
	var room [maxPath]uint8
	path := run.trail.entered(&room)
	for _, p := range path {
		e.Path = append(e.Path, run.tapAt(p).name)
	}
	e.Returned = n.failed.place > 0 && n.failed.place == place && !plugin.ClientWrite(int(n.failed.rcode))
	t := run.tapAt(place)
	if t == nil {
		e.Failure = interpret(err, nil, "")
		return e
	}
	e.At = t.name
	run.addMessage(e)
	maker := run.addChange(e)
	if maker == 0 {
		maker = place
	}
	run.addEarlier(e, place)
	run.addCache(e, path, maker)
	run.addUpstream(e, t, err)
	e.Zone = zoneOf(t.next, e.Asked.Name)
	e.Overheard = run.ladder.overheard(t, e)
	if t.name == "template" {
		e.Template = run.ladder.Template
	}
	return e
}

// outside is what is known of a query whatever its plugins did.
func (run *Run) outside(shape evidence.Shape, rcode int) *evidence.Evidence {
	e := evidence.New()
	e.Rcode, e.Shape, e.At = rcode, shape, "ede"
	e.Question, e.Asked, e.Name = run.question, run.question, lower(run.question.Name)
	e.Opcode, e.CheckingDisabled, e.DNSSECOK = int(run.opcode), run.cd, run.Request.DO()
	e.Signed, e.Background = run.Request.Signed(), run.refreshing
	// The clock is read once for a failure: a reading is a good part of what it costs.
	e.Time = time.Now()
	e.Elapsed = e.Time.Sub(start) - run.began
	run.mu.Lock()
	defer run.mu.Unlock()
	e.Nested = run.noted().nested
	return e
}

// failedPlace is the place of the plugin that the failure is put down to: the one that
// wrote the message which leaves, if it wrote it past those below it; or else the
// innermost one that returned a failure, or that was entered.
func (run *Run) failedPlace() uint8 {
	if writer := run.ownWriter(); writer > 0 {
		return writer
	}
	if cache := run.staleFrom(); cache > 0 {
		return cache
	}
	if failed := run.noted().failed.place; failed > 0 {
		return failed
	}
	return run.trail.innermost()
}

// ownWriter is the place of a plugin, not one of CoreDNS's own, that answered with words
// of its own after plugins below it had been asked; 0 if there is none.
func (run *Run) ownWriter() uint8 {
	place := run.written.origin
	if place == 0 || place == run.trail.innermost() || run.tapAt(place).stock {
		return 0
	}
	return place
}

// addMessage adds what the failing message was where it was first seen: cache drops
// the OPT of what it passes on. What a message says itself is never replaced: a plugin
// on the way up may have put it there.
func (run *Run) addMessage(e *evidence.Evidence) {
	first := run.written.first
	switch {
	case first == nil:
	case len(run.written.failure.options) == 0:
		alias := e.Reply.Alias
		e.Reply, e.Options = first.reply, first.options
		e.Reply.Alias = e.Reply.Alias || alias
	case first.reply.Written:
		// header may have changed these flags.
		e.Reply.RecursionAvailable, e.Reply.Authoritative = first.reply.RecursionAvailable, first.reply.Authoritative
	}
}

// addChange names the plugin that changed the rcode of what came up from below it, and
// returns its place, 0 if there is none.
func (run *Run) addChange(e *evidence.Evidence) (by uint8) {
	switch written, returned := run.written.changed, run.noted().changed; {
	case written.place > 0 && e.Rcode == int(run.written.rcode):
		by = run.changerAbove(written.place)
		e.Changed = evidence.Changed{From: int(written.from)}
	case returned.place > 0 && e.Shape == evidence.Returned:
		by = returned.place
		e.Changed = evidence.Changed{From: int(returned.rcode)}
	default:
		return 0
	}
	e.Changed.Plugin, e.Changed.To = run.tapAt(by).name, e.Rcode
	return by
}

// changerAbove is the place of the closest plugin above place that can change an rcode.
func (run *Run) changerAbove(place uint8) uint8 {
	for p := place - 1; p > 0; p-- {
		if t := run.tapAt(p); t != nil && changesRcodes(t.name) {
			return p
		}
	}
	return place - 1
}

// addEarlier adds what failed before the plugin at place asked somebody else.
func (run *Run) addEarlier(e *evidence.Evidence, place uint8) {
	n := run.noted()
	before := n.earlier
	if before.place == 0 && n.failed.place > place {
		before = n.failed
	}
	if before.place > place {
		e.Earlier = evidence.Earlier{At: run.tapAt(before.place).name, Rcode: int(before.rcode), Failure: interpret(before.err, nil, "")}
	}
}

// addCache adds what cache, if it is on the path, has to do with the failure, which the plugin at
// maker made. cache keeps an error that came without a message, too, as a SERVFAIL (CoreDNS 1.15).
func (run *Run) addCache(e *evidence.Evidence, path []uint8, maker uint8) {
	for _, p := range path {
		if run.tapAt(p).name != "cache" {
			continue
		}
		e.CacheQuestion = run.questionAt(p)
		if e.CacheQuestion.Name == e.Question.Name {
			e.CacheQuestion.Name = e.Name
		} else {
			e.CacheQuestion.Name = lower(e.CacheQuestion.Name)
		}
		e.AboveCache = maker < p
		unchanged := e.Changed.Plugin == "" || isFailure(e.Changed.From)
		own := p == path[len(path)-1] || p == run.staleFrom()
		e.CacheHit = own && e.At == "cache" && run.written != &unwritten && unchanged
	}
	if run.refreshing {
		e.CacheQuestion = run.question
		e.CacheQuestion.Name = e.Name
	}
}

// addUpstream adds what is known of the upstream that the plugin below t asked, and
// what its error err says.
func (run *Run) addUpstream(e *evidence.Evidence, t *tap, err error) {
	if t.upstreams == nil {
		e.Failure = interpret(err, nil, "")
		return
	}
	asked := &run.noted().asked
	addr, named := asked.upstreamOf(t)
	e.Failure = interpret(err, t.next, addr)
	if named || e.Failure.Kind.Exchanged() {
		e.Upstream = addr
	}
	e.NoRD = asked.tap == t && !asked.rd && run.opcode == dns.OpcodeQuery && !isTransfer(e.Asked.Qtype)
	e.RDCleared = e.NoRD && run.rd
	if asked.ended > 0 {
		e.UpstreamElapsed = asked.ended - asked.began
	}
	e.UpstreamAnswered = e.Failure.Kind == evidence.NoError && e.Reply.Written
	e.Untried = e.Upstream == "" && run.Context.Err() != nil
	if e.Upstream == "" {
		e.Upstream = e.Failure.Peer
	}
	e.Upstreams = t.upstreams.state(run, e.Upstreams, e.Upstream)
	exchanged := e.UpstreamAnswered || e.Failure.Kind.Network() || e.Failure.Kind == evidence.NoHealthy && !e.Untried
	if e.Upstream == "" && len(e.Upstreams) == 1 && exchanged {
		e.Upstream, e.Upstreams[0].Asked = e.Upstreams[0].Addr, true
	}
	if good := t.lastGood.Load(); good != 0 {
		e.LastGood = wall(time.Duration(good))
	}
	e.LastAnswer = t.upstreams.lastAnswer(e.Upstream)
	e.Loops = asked.circled.here && run.mayComeBack(e.Upstream, e.Asked) || asked.sentBack(e.Upstream)
}

func (run *Run) tapAt(place uint8) *tap { return run.ladder.taps[place] }

// CacheQuestion is the question that cache saw, in lower case, or the client's if no
// cache was entered.
func (run *Run) CacheQuestion() dns.Question {
	q := run.question
	if run.whole {
		var room [maxPath]uint8
		for _, p := range run.trail.entered(&room) {
			if run.tapAt(p).name == "cache" {
				q = run.questionAt(p)
			}
		}
	}
	q.Name = lower(q.Name)
	return q
}
