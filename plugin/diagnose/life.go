package diagnose

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/compare"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/control"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/delegation"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
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
				if tld := topLevel(d.Question.Name); tld != "." && control.FetchedBelow(tld, reply) {
					d.fresh.Store(true)
				}
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

// fetches reports whether r is seen to fetch from the servers of one of zones what no
// cache has. An upstream that has lost its way to the Internet still answers what it
// remembers, the root and its signed denials among it, so that those clear nobody.
// r is the failing upstream, or counted.
func (d *diagnosis) fetches(ctx context.Context, r Resolver, zones ...string) bool {
	for _, zone := range zones {
		key := r.Name + " " + zone
		seen, ok := d.fetched[key]
		if !ok {
			seen = r.Name == d.Failing.Name && zone == topLevel(d.Question.Name) && d.fresh.Load() || d.probesUplink(ctx, r, zone)
			d.fetched[key] = seen
		}
		if seen {
			return true
		}
	}
	return false
}

// probesUplink asks for a name and a type that no cache has, both at once.
func (d *diagnosis) probesUplink(ctx context.Context, r Resolver, zone string) bool {
	questions := []control.Question{control.Unused(zone), control.MadeUp(zone)}
	if zone == "." {
		questions = questions[:1]
	}
	replies := make([]control.Reply, len(questions))
	var done []<-chan error
	for i, q := range questions {
		done = append(done, later(func() (err error) {
			ctx, cancel := context.WithTimeout(ctx, controlTime)
			defer cancel()
			ask := control.Ask(r.Exchange)
			if replies[i], err = d.controls.Get(ctx, r.Name, ask, q, d.Now); replies[i].Fetched && d.Now().Sub(replies[i].At) > control.Recent {
				replies[i], err = d.controls.Fresh(ctx, r.Name, ask, q, d.Now)
			}
			return err
		}))
	}
	seen := false
	for i, q := range questions {
		switch err := <-done[i]; {
		case err != nil:
			d.step(false, "%s, %s: %s", r.Name, q, control.Phrase(err))
		case replies[i].Fetched:
			seen = true
			d.step(true, "%s, %s: %s, just fetched", r.Name, q, dns.RcodeToString[replies[i].Rcode])
		case replies[i].Answers():
			d.step(false, "%s, %s: %s, perhaps from what it remembers", r.Name, q, dns.RcodeToString[replies[i].Rcode])
		default:
			d.step(false, "%s, %s: %s", r.Name, q, dns.RcodeToString[replies[i].Rcode])
		}
	}
	return seen
}

// uplink are the zones of which one has to be fetched before more than the upstream's
// connection is blamed: that above the name, and where it may not exist, others.
func (d *diagnosis) uplink(others bool) []string {
	var zones []string
	if tld := topLevel(d.Question.Name); tld != "." && !d.private() {
		zones = append(zones, tld)
	}
	if others || len(zones) == 0 {
		zones = append(zones, "arpa.", ".")
	}
	return zones
}

// fetchesNothing says why nobody is blamed where fetches is false. more goes before it.
func (d *diagnosis) fetchesNothing(more string) (Finding, bool) {
	d.saw(false, "it is not seen to fetch from the servers of %s what no cache has", d.uplink(false)[0])
	return d.because(adviceUplink, "%sthe upstream answers what it may remember, and was not seen to fetch a name or type that it cannot know: whether it reaches the Internet is not known", more)
}

const adviceUplink = "Check the upstream's own connection to the Internet, and its own upstreams, before any zone."

// judges reports whether a comparison says something of the name: not where the failing
// upstream may have lost its way to the Internet, or all others that fail. Nor is the
// zone at fault of which the own name servers gave no reason.
func (d *diagnosis) judges(ctx context.Context, id string, result compare.Result) bool {
	witness := id != "zone_at_fault"
	switch {
	case !witness && d.probing != nil:
		d.saw(false, "%s", result.Text)
		what := "were asked, and no fault of theirs was seen"
		if d.probing.found.Kind != delegation.Healthy {
			what = "could not be judged"
		}
		_, _ = d.because(adviceShared, "%s; the zone's own name servers %s", result.Text, what)
		return false
	case !d.fetches(ctx, d.Failing, d.uplink(false)...):
		_, _ = d.fetchesNothing(result.Text + "; ")
		return false
	}
	for i, r := range slices.Concat(d.Others, d.Compare) {
		if witness || i >= len(result.Others) {
			break
		}
		if result.Others[i].Kind == compare.Fails {
			if i >= len(d.Others) {
				r = d.counted(r)
			}
			witness = d.fetches(ctx, r, d.uplink(false)...)
		}
	}
	if !witness {
		d.saw(false, "%s, and none of these is seen to reach the Internet", result.Text)
		_, _ = d.because(adviceUplink, "%s, and none of these is seen to reach the Internet", result.Text)
	}
	return witness
}

const adviceShared = "Look at what the upstreams have in common for this name: a forward, a stub zone, a filter, or their connection to the Internet."
