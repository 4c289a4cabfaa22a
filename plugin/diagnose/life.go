package diagnose

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/control"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/path"
)

// controlTime is how long a control question may take. What it asks for any
// resolver has at hand.
const controlTime = 2500 * time.Millisecond

// living asks a control question. Where no reply comes at once the other transport
// is tried as well, with what the upstream has to ask nobody for.
func (d *diagnosis) living(ctx context.Context) (l path.Life) {
	l.ByTCP = d.Failing.ByTCP
	root := d.control(ctx, d.Failing.Exchange, control.RootServers)
	select {
	case l.Root = <-root:
		if l.Root == nil {
			return l
		}
	case <-time.After(headstart):
	}
	switch other := d.other(); {
	case d.muted.Rests(d.Failing.Name, d.Now()):
		l.Other = errRests
	case other == nil:
		l.Other = errNoOther
	default:
		l.Other = <-d.control(ctx, other, control.Own)
	}
	if l.Other == nil {
		one, two := d.control(ctx, d.Failing.Exchange, control.Own), d.control(ctx, d.Failing.Exchange, control.Own)
		l.Own = [2]error{<-one, <-two}
	}
	if l.Root == nil {
		l.Root = <-root
	}
	return l
}

// dead looks for life where a control question has got no reply.
func (d *diagnosis) dead(ctx context.Context, l path.Life) (Finding, bool) {
	d.silent = true
	d.saw(false, "%s does not answer for the root either: %s", d.Failing.Name, control.Phrase(l.Root))
	lost := tried(l.Root, l.Own[0], l.Own[1])
	switch {
	case l.Other == nil && (l.Own[0] == nil || l.Own[1] == nil):
		return d.withoutWay(ctx, l)
	case l.Other == nil:
		return d.oneWay(l, lost)
	case errors.Is(l.Other, errRests):
		return d.because("", "the upstream does not answer for the root either")
	case !errors.Is(l.Other, errNoOther):
		d.muted.Heard(d.Failing.Name, d.Now(), true)
		return d.because("", "the upstream does not answer for the root either, %s", l.OverBoth())
	}
	if _, err := d.Failing.Exchange(ctx, d.query(true)); err == nil {
		return d.loses(l.Root, "the second of two questions was answered, and the first %s")
	}
	d.muted.Heard(d.Failing.Name, d.Now(), true)
	return d.because("", "the upstream does not answer for the root either")
}

// oneWay is for an upstream that answers over the other transport alone.
func (d *diagnosis) oneWay(l path.Life, lost path.Lost) (Finding, bool) {
	over, other := "UDP", "TCP"
	if d.Failing.ByTCP {
		over, other = other, over
	}
	what := fmt.Sprintf("%s, one over %s was answered", lost.Tries("question over "+over, "questions over "+over), other)
	switch {
	case len(lost) < minLost:
		return d.because(advicePath, "%s; no more were asked", what)
	case d.Failing.ByTCP:
		return d.closed(what, lost)
	case l.Never && lost.Silent():
		return d.ofPath("path_udp_lost", what+"; no query was answered since this server started")
	}
	return d.convict("path_udp_lost", what+"; "+lost.OrUpstream())
}

// minLost is how many control questions have to fail over one transport.
const minLost = 3

// tried are those of errs that tell of a try.
func tried(errs ...error) (lost path.Lost) {
	for _, err := range errs {
		if err != nil && !errors.Is(err, errNoOther) && !errors.Is(err, errRests) && !errors.Is(err, errPanicked) &&
			!errors.Is(err, dnssec.ErrBudget) && !errors.Is(err, context.Canceled) {
			lost = append(lost, err)
		}
	}
	return lost
}

// withoutWay is for an upstream that answers what it has itself, and gave no reply
// to a question for which it may have to ask others. Silence does not show why.
func (d *diagnosis) withoutWay(ctx context.Context, l path.Life) (Finding, bool) {
	if err := <-d.control(ctx, d.Failing.Exchange, control.RootServers); err == nil {
		return d.loses(l.Root, "the same question for the root was answered once and %s once")
	}
	d.saw(false, "%s answers at once from its own data, and does not reply where it has to ask others", d.Failing.Name)
	return d.because("Look at the upstream's own connection to the Internet and at its upstreams, before any zone.",
		"it answers at once without recursion, and nothing else, not even for the root (%s): its own connection to the Internet may be down", d.counts())
}

// loses is for a question that got no reply where one was answered over the same transport;
// format has a place for what became of it. What was refused is not lost.
func (d *diagnosis) loses(lost error, format string) (Finding, bool) {
	all := tried(lost)
	what := fmt.Sprintf(format, all.Became())
	if len(all) > 0 && all.Silent() {
		return d.convict("path_loses_packets", what+"; "+d.counts())
	}
	d.saw(false, "%s", what)
	return d.because(advicePath, "%s; %s", what, d.counts())
}

// tallied returns r with what it is asked and answers counted.
func (d *diagnosis) tallied(r Resolver) Resolver {
	count := func(exchange Exchange) Exchange {
		if exchange == nil {
			return nil
		}
		return func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
			reply, err := exchange(ctx, m)
			if !errors.Is(err, dnssec.ErrBudget) && !errors.Is(err, context.Canceled) {
				d.sent.Add(1)
			}
			if err == nil {
				d.came.Add(1)
				if d.lives != nil {
					d.lives.Store(true)
				}
			}
			return reply, err
		}
	}
	r.Exchange, r.UDP, r.TCP = count(r.Exchange), count(r.UDP), count(r.TCP)
	return r
}
