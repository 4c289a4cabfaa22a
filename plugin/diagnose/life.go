package diagnose

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/control"
)

// controlTime is how long a control question may take. What it asks for any
// resolver has at hand.
const controlTime = 2500 * time.Millisecond

// life is what an upstream was seen to answer: the error of each question that was
// not. other is asked over the other transport, and own, what it has itself, twice
// over the same as the rest where other is answered. never is true if it had answered
// this server nothing before.
type life struct {
	root, other error
	own         [2]error
	never       bool
}

// living asks a control question. Where no reply comes at once the other transport
// is tried as well, with what the upstream has to ask nobody for.
func (d *diagnosis) living(ctx context.Context) (l life) {
	root := d.control(ctx, d.Failing.Exchange, control.RootServers)
	select {
	case l.root = <-root:
		if l.root == nil {
			return l
		}
	case <-time.After(headstart):
	}
	switch other := d.other(); {
	case d.muted.Rests(d.Failing.Name, d.Now()):
		l.other = errRests
	case other == nil:
		l.other = errNoOther
	default:
		l.other = <-d.control(ctx, other, control.Own)
	}
	if l.other == nil {
		one, two := d.control(ctx, d.Failing.Exchange, control.Own), d.control(ctx, d.Failing.Exchange, control.Own)
		l.own = [2]error{<-one, <-two}
	}
	if l.root == nil {
		l.root = <-root
	}
	return l
}

// dead looks for life where a control question has got no reply.
func (d *diagnosis) dead(ctx context.Context, l life) (Finding, bool) {
	d.silent = true
	d.saw(false, "%s does not answer for the root either: %s", d.Failing.Name, control.Phrase(l.root))
	switch {
	case l.other == nil && (l.own[0] == nil || l.own[1] == nil):
		return d.withoutWay(ctx)
	case l.other == nil && d.Failing.ByTCP:
		return d.closed(three("TCP", l.root)+", one over UDP was answered", l.root)
	case l.other == nil && l.never && control.TimedOut(l.root):
		return d.ofPath("path_udp_lost", three("UDP", l.root)+", one over TCP was answered; no query was answered since this server started")
	case l.other == nil:
		return d.convict("path_udp_lost", three("UDP", l.root)+", one over TCP was answered; "+orUpstream(l.root))
	case errors.Is(l.other, errRests):
		return d.because("", "the upstream does not answer for the root either")
	case !errors.Is(l.other, errNoOther):
		d.muted.Heard(d.Failing.Name, d.Now(), true)
		return d.because("", "the upstream does not answer for the root either, %s", d.overBoth(l))
	}
	if _, err := d.Failing.Exchange(ctx, d.query(true)); err == nil {
		return d.loses("the second of two questions was answered")
	}
	d.muted.Heard(d.Failing.Name, d.Now(), true)
	return d.because("", "the upstream does not answer for the root either")
}

// three says what became of as many control questions.
func three(transport string, lost error) string {
	if control.TimedOut(lost) {
		return "three questions over " + transport + " got no reply"
	}
	return "three questions over " + transport + " failed (" + control.Phrase(lost) + ")"
}

// orUpstream says that what is not answered over UDP is the path's or the upstream's.
func orUpstream(lost error) string {
	if control.TimedOut(lost) {
		return "the path loses UDP, or the upstream drops it (a rate limit)"
	}
	return "the upstream does not serve UDP, or a filter closes it"
}

// withoutWay is for an upstream that answers what it has itself, and gave no reply
// to a question for which it may have to ask others. Silence does not show why.
func (d *diagnosis) withoutWay(ctx context.Context) (Finding, bool) {
	if err := <-d.control(ctx, d.Failing.Exchange, control.RootServers); err == nil {
		return d.loses("the same question for the root was answered once and got no reply once")
	}
	d.saw(false, "%s answers at once from its own data, and does not reply where it has to ask others", d.Failing.Name)
	return d.because("Look at the upstream's own connection to the Internet and at its upstreams, before any zone.",
		"it answers at once without recursion, and nothing else, not even for the root (%s): its own connection to the Internet may be down", d.counts())
}

// overBoth says what became of the control questions over both transports.
func (d *diagnosis) overBoth(l life) string {
	root, other := control.Phrase(l.root), control.Phrase(l.other)
	switch {
	case root == other:
		return "over UDP and TCP"
	case d.Failing.ByTCP:
		return fmt.Sprintf("over TCP: %s, over UDP: %s", root, other)
	}
	return fmt.Sprintf("over UDP: %s, over TCP: %s", root, other)
}
