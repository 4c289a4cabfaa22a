package diagnose

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/control"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/path"
	"github.com/seed-1b7246af/coredns-ede/plugin/exchange"
)

// controlTime is how long a control question may take. What it asks for any
// resolver has at hand.
const controlTime = 2500 * time.Millisecond

// living asks a control question. Where no reply comes at once the other transport
// is tried as well, with what the upstream has to ask nobody for.
func (d *diagnosis) living(ctx context.Context) (l path.Life, s strays) {
	l.ByTCP = d.Failing.ByTCP
	root := d.control(ctx, d.Failing.Exchange, control.RootServers)
	select {
	case l.Root = <-root:
		if l.Root == nil {
			return l, s
		}
	case <-time.After(headstart):
	}
	l.Plain, l.Other = errRests, errRests
	if !d.muted.Rests(d.Failing.Name, d.Now()) {
		plain := d.control(ctx, d.Failing.Exchange, control.RootPlain)
		s = d.listen(ctx)
		l.Other = errNoOther
		if other := d.other(); other != nil {
			l.Other = <-d.control(ctx, other, control.Own)
		}
		if l.Other != nil {
			l.Plain = <-plain
			plain = nil
		}
		if l.Other == nil || l.Plain == nil {
			one, two := d.control(ctx, d.Failing.Exchange, control.Own), d.control(ctx, d.Failing.Exchange, control.Own)
			l.Own = [2]error{<-one, <-two}
		}
		if plain != nil {
			l.Plain = <-plain
		}
	}
	if l.Root == nil {
		l.Root = <-root
	}
	return l, s
}

// dead looks for life where a control question has got no reply.
func (d *diagnosis) dead(ctx context.Context, l path.Life, s strays) (Finding, bool) {
	lost := tried(l.Root, l.Own[0], l.Own[1])
	if l.Plain == nil && len(lost) >= minLost && lost.Silent() {
		return d.bare(ctx)
	}
	d.silent = true
	if control.NoRoute(l.Root) {
		d.saw(false, "there is no route to %s", d.Failing.Name)
		return d.because(adviceRoute, "there is no route to the upstream for other questions either")
	}
	either := path.Either(l.Root)
	d.saw(false, "%s %s", d.Failing.Name, either)
	if lost.Silent() && s.came != nil {
		if f, ok := d.strayed(s, l.Other == nil); ok {
			return f, true
		}
	}
	switch {
	case l.Other == nil && (l.Own[0] == nil || l.Own[1] == nil):
		return d.withoutWay(ctx, l)
	case l.Other == nil:
		return d.oneWay(l, lost)
	case errors.Is(l.Other, errRests):
		return d.because("", "the upstream %s", either)
	case !errors.Is(l.Other, errNoOther):
		d.muted.Heard(d.Failing.Name, d.Now(), true)
		return d.because("", "the upstream %s, %s", path.Either(l.Root, l.Other), l.OverBoth())
	}
	if _, err := d.Failing.Exchange(ctx, d.query(true)); err == nil {
		return d.loses(l.Root, "the second of two questions was answered, and the first %s")
	}
	d.muted.Heard(d.Failing.Name, d.Now(), true)
	return d.because("", "the upstream %s", either)
}

const (
	adviceRoute   = "Look at this server's own network first: its addresses, its routes, and whether it has IPv6. If it is not meant to reach this upstream, take the upstream out of the Corefile."
	adviceSibling = "Look at the upstream's connection to the servers of this name, and at whether these servers answer this type: some drop queries for a type that they do not have. No evidence about the zone was found."
	adviceEDNS    = "Look for what drops queries with EDNS: a filter on the path, or the upstream. Clients that send no EDNS get answers all the same."
	adviceStray   = "Let the upstream answer from the address that it is asked at (interface-automatic in Unbound), or repair the translation of addresses on the way. In Kubernetes, replies of a service may pass it only if net.bridge.bridge-nf-call-iptables is 1."
	adviceID      = "Look at the upstream, and at what stands in front of it: the ID of a reply has to be that of the query."
)

// bare is for an upstream that answers without EDNS, and not with it: most clients send none.
func (d *diagnosis) bare(ctx context.Context) (Finding, bool) {
	d.muted.Heard(d.Failing.Name, d.Now(), false)
	what := "it answers for the root without EDNS, and gives no reply with EDNS"
	if err := <-d.control(ctx, d.Failing.Exchange, control.RootNoDO); err == nil {
		what = "it answers for the root with EDNS, and gives no reply if the DO bit is set"
	}
	m, advice := d.asked(d.Question), adviceEDNS
	m.Extra = nil
	switch reply, err := d.insist(ctx, d.Failing, m); {
	case err != nil:
		what += "; this question gets no reply without EDNS either"
		advice = adviceBusy
	default:
		what += fmt.Sprintf("; this question is answered %s without EDNS", dns.RcodeToString[reply.Rcode])
	}
	d.saw(false, "%s", what)
	_, _ = d.because(advice, "%s. The path or the upstream drops such queries", what)
	return d.undecided(), true
}

// strays are replies over UDP that the socket of a query does not take: from another
// address than the one that is asked, or with another ID.
type strays struct {
	id    uint16
	heard *exchange.Heard // once came has told its error
	came  <-chan error    // nil if nobody listens
}

// listen asks the question over UDP, and listens for the reply wherever it comes from.
func (d *diagnosis) listen(ctx context.Context) strays {
	if d.Failing.Anywhere == nil || d.Failing.ByTCP || !d.spend() {
		return strays{}
	}
	m, heard := d.query(false), new(exchange.Heard)
	return strays{m.Id, heard, later(func() (err error) {
		*heard, err = d.Failing.Anywhere(ctx, m)
		return err
	})}
}

// strayed waits for s. overTCP is true if the upstream answers over TCP.
func (d *diagnosis) strayed(s strays, overTCP bool) (Finding, bool) {
	err, heard := <-s.came, s.heard
	what, where, advice := "its replies over UDP come from another address than the one that is asked", ": "+heard.From.String(), adviceStray
	switch {
	case err != nil, !heard.Elsewhere && heard.Reply.Id == s.id:
		return Finding{}, false
	case !heard.Elsewhere:
		what, where, advice = "its replies over UDP have another ID than the query", "", adviceID
	}
	d.silent = false
	d.saw(false, "%s%s", what, where)
	if !overTCP {
		_, _ = d.because(advice, "%s", what)
		return d.undecided(), true
	}
	f, ok := d.convict("path_udp_lost", what)
	first := &f.Verdict.Statements[0]
	first.Full += where
	f.Verdict.Own, f.Text, f.Verdict.Advice, f.Verdict.Lasts = first.Full, first.Full, advice, cause.Persistent
	if where == "" {
		f.Verdict.Owner = cause.Upstream
	}
	return f, ok
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
