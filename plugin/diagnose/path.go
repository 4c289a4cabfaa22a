package diagnose

import (
	"context"
	"errors"
	"fmt"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/control"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/path"
	"github.com/seed-1b7246af/coredns-ede/plugin/exchange"
	"github.com/seed-1b7246af/coredns-ede/plugin/guard"
)

// path finds out whether the path to the upstream is at fault. An answer to the question
// over the transport that failed rules it out.
func (d *diagnosis) path(ctx context.Context) (Finding, bool) {
	var cut *exchange.CutError
	switch {
	case errors.As(d.lost, &cut):
		return d.tcpClosed(ctx, "the answer over UDP is truncated, and over TCP: "+control.Phrase(cut.Err), cut.Err)
	case d.first == nil:
		return d.silence(ctx)
	case !failedInExchange(d.Verdict):
		d.saw(true, "%s answers the question", d.Failing.Name)
		return Finding{}, false
	case d.Failing.TCP != nil && !d.Failing.ByTCP && answered(d.first):
		// It is answered over UDP now. What failed may have gone over TCP.
		if _, err := d.Failing.TCP(ctx, d.query(false)); err != nil {
			return d.tcpClosed(ctx, "over TCP: "+control.Phrase(err), err)
		}
	}
	return Finding{}, false
}

// tcpClosed needs the answer over UDP that came, and a second failure over TCP.
func (d *diagnosis) tcpClosed(ctx context.Context, what string, lost error) (Finding, bool) {
	second := errNoOther
	if d.Failing.TCP != nil {
		second = <-d.control(ctx, d.Failing.TCP, control.RootServers)
	}
	all := tried(lost, second)
	switch {
	case second == nil:
		d.saw(false, "%s, but another question is answered over TCP", what)
		return d.because(advicePath, "%s; another question is answered over TCP", what)
	case len(all) < 2:
		d.saw(false, "%s, and no second question was asked over TCP", what)
		return d.because(advicePath, "%s; no second question was asked over TCP", what)
	case control.Phrase(lost) != control.Phrase(second):
		what += "; another question: " + control.Phrase(second)
	}
	return d.closed(what, all)
}

// closed names the path where no connection comes about in any try, and nothing refuses it.
// Whoever refuses it, or accepts it and says nothing, may be the upstream.
func (d *diagnosis) closed(what string, lost path.Lost) (Finding, bool) {
	if lost.Unconnected() {
		return d.ofPath("path_tcp_closed", what)
	}
	return d.convict("path_tcp_closed", what+"; the upstream does not serve TCP, or a filter closes it")
}

// ofPath convicts the path alone.
func (d *diagnosis) ofPath(id, what string) (Finding, bool) {
	f, ok := d.convict(id, what)
	f.Verdict.Owner, f.Verdict.Lasts = cause.Network, cause.Persistent
	return f, ok
}

const (
	advicePath = "Look at the path to the upstream (a filter, a limit of the network interface, the MTU), and at the upstream's load and rate limit. No evidence against the zone was found."
	adviceBusy = "Look at the upstream: its load, and its own connection to the servers of this name. No evidence about the zone was found."
)

// silence finds out whether the upstream answers nothing, the path loses packets, or only
// this question keeps the upstream busy: a resolver that cannot validate, or reach a zone,
// may try for longer than forward waits. Only answers are evidence.
func (d *diagnosis) silence(ctx context.Context) (Finding, bool) {
	l, s := d.living(ctx)
	if l.Root != nil {
		return d.dead(ctx, l, s)
	}
	d.muted.Heard(d.Failing.Name, d.Now(), false)
	d.saw(false, "%s answers %s", d.Failing.Name, control.RootServers)
	unchecked, again := d.ask(ctx, true), d.ask(ctx, false)
	overOther := d.askOther(ctx)
	var cut *exchange.CutError
	m, err := d.await(ctx, unchecked)
	switch {
	case errors.Is(err, errExplained):
		return d.ofServers, true
	case errors.As(err, &cut):
		return d.cut(ctx, <-overOther.came, cut)
	}
	if d.unvalidated = m; d.open() && len(d.Anchors) > 0 {
		d.follows(ctx)
	}
	d.first, err = d.await(ctx, again)
	switch {
	case errors.Is(err, errExplained):
		return d.ofServers, true
	case errors.As(err, &cut):
		return d.cut(ctx, <-overOther.came, cut)
	case d.first != nil && answered(d.first):
		return d.passed()
	case d.first != nil:
		// It fails, and only took its time before.
		d.saw(true, "%s answers the question", d.Failing.Name)
		return Finding{}, false
	}
	lost := tried(err)
	switch other := <-overOther.came; {
	case other.err == nil && len(lost) > 0 && lost.Silent():
		return d.overTheOther(ctx, other.reply)
	case other.err == nil:
		d.saw(false, "%s answers the question over the other transport", d.Failing.Name)
	}
	counts := d.counts()
	d.saw(false, "no reply to the question: %s", counts)
	if d.unvalidated != nil && answered(d.unvalidated) {
		return d.because(advicePath, "asked again, %s: it answers with CD=1 and not with CD=0. Packets get lost on the path, it drops some, or its validation takes too long; which of these is not known", counts)
	}
	return d.otherwise(ctx)
}

// passed is the finding where the question that was not answered is answered now.
func (d *diagnosis) passed() (Finding, bool) {
	d.saw(d.came.Load() == d.sent.Load(), "the question is answered now, %s", d.counts())
	return d.resolves(), true
}

// cut is for an answer that came truncated over UDP and not over TCP, where the same
// question was asked over TCP as well.
func (d *diagnosis) cut(ctx context.Context, overOther answer, over *exchange.CutError) (Finding, bool) {
	const truncated = "the answer over UDP is truncated"
	came := control.Phrase(over.Err)
	if overOther.err == nil {
		d.saw(false, "%s; one try over TCP failed (%s), and one was answered", truncated, came)
		return d.because(advicePath, "%s; one try over TCP failed (%s), and one was answered", truncated, came)
	}
	lost := tried(over.Err, overOther.err)
	what := truncated + "; " + lost.Tries("try over TCP", "tries over TCP")
	if len(lost) < 2 {
		d.saw(false, "%s", what)
		return d.because(advicePath, "%s; no other was made", what)
	}
	if d.Failing.TCP != nil && <-d.control(ctx, d.Failing.TCP, control.RootServers) == nil {
		d.saw(false, "%s; another question is answered over TCP", what)
		return d.because(advicePath, "%s; another question is answered over TCP", what)
	}
	return d.closed(what, lost)
}

// counts says how many probes were answered.
func (d *diagnosis) counts() string {
	return fmt.Sprintf("%d of %d probes were answered", d.came.Load(), d.sent.Load())
}

// other is the transport that Exchange does not use; nil if there is none.
func (d *diagnosis) other() Exchange {
	if d.Failing.ByTCP {
		return d.Failing.UDP
	}
	return d.Failing.TCP
}

// askOther puts the question to the upstream over its other transport.
func (d *diagnosis) askOther(ctx context.Context) asked {
	a := asked{false, make(chan answer, 1)}
	other := d.other()
	if other == nil {
		a.came <- answer{err: errNoOther}
		return a
	}
	go func() {
		got := answer{err: errPanicked}
		defer func() { a.came <- got }()
		defer guard.Catch(guard.Diagnosing, nil)
		got.reply, got.err = other(ctx, d.query(false))
	}()
	return a
}

var (
	errNoOther = errors.New("there is no other transport")
	errRests   = errors.New("it was silent on all ways a moment ago")
)

// overTheOther is for a question that over one transport was not answered, when
// another question was, and over the other one is.
func (d *diagnosis) overTheOther(ctx context.Context, m *dns.Msg) (Finding, bool) {
	if d.Failing.ByTCP || !answered(m) {
		d.saw(false, "over the other transport it answers %s", dns.RcodeToString[m.Rcode])
		d.first = m
		return Finding{}, false
	}
	if d.bySize(ctx) {
		return d.ofPath("path_answer_lost", fmt.Sprintf("with room for %d octets it is answered over UDP: the path loses larger answers, or their fragments", dns.MinMsgSize))
	}
	return d.convict("path_answer_lost", "the path loses its answer, or the upstream drops it, as a rate limit does; another question was answered")
}

// bySize reports whether the size of the answer decides if it arrives over UDP: twice
// where little room is offered, and once more not otherwise. To a rate limit the two
// are the same question.
func (d *diagnosis) bySize(ctx context.Context) bool {
	if d.Failing.UDP == nil {
		return false
	}
	small := d.query(false)
	small.IsEdns0().SetUDPSize(dns.MinMsgSize)
	for range 2 {
		if _, err := d.Failing.UDP(ctx, small); err != nil {
			return false
		}
	}
	_, err := d.Failing.UDP(ctx, d.query(false))
	return err != nil && control.TimedOut(err)
}

// later runs ask and does not wait for it.
func later(ask func() error) <-chan error {
	done := make(chan error, 1)
	go func() {
		err := errPanicked
		defer func() { done <- err }()
		defer guard.Catch(guard.Diagnosing, nil)
		err = ask()
	}()
	return done
}

// control asks the failing upstream a control question over x and forgets what was
// answered before: only what comes now shows that it lives.
func (d *diagnosis) control(ctx context.Context, x Exchange, q control.Question) <-chan error {
	return later(func() error {
		ctx, cancel := context.WithTimeout(ctx, controlTime)
		defer cancel()
		_, err := d.controls.Fresh(ctx, d.Failing.Name, control.Ask(x), q, d.Now)
		return err
	})
}
