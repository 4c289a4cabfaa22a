package diagnose

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/compare"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/control"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/delegation"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/uplink"
)

// unproved is why nobody is blamed though something fails.
type unproved uint8

const (
	// unseen: it was not seen that the resolver reaches the Internet.
	unseen unproved = iota + 1
	// passing: what failed did not fail once more.
	passing
	// unsteady: the resolver reached the Internet, and a moment later was not seen to.
	unsteady
)

// proved reports whether the failing upstream reaches the Internet and fails all the same.
// An upstream that has lost its way to the Internet still answers what it remembers, the
// root and its signed denials among it, so that those clear nobody. Its connection may be
// lost, or come back, at any moment: between the failure and the proof that it reaches
// something, or before. So it has to fetch what no cache has, then fail again, and then
// fetch once more. again reports whether it fails again.
func (d *diagnosis) proved(ctx context.Context, z uplink.Zones, again func() bool) bool {
	return d.provedOf(ctx, d.Failing, z, again)
}

// provedOf is proved for r, which is the failing upstream, or counted.
func (d *diagnosis) provedOf(ctx context.Context, r Resolver, z uplink.Zones, again func() bool) bool {
	asked := uplink.Resolver{Name: r.Name, Ask: control.Ask(r.Exchange)}
	proof, zones, ok := d.uplinks.Reaches(ctx, asked, z)
	d.unproved, d.zones = 0, zones
	switch {
	case !ok:
		d.unproved = unseen
	case !again():
		d.unproved = passing
	case !d.uplinks.Still(ctx, asked, proof):
		d.unproved = unsteady
	}
	return d.unproved == 0
}

// failsAgain reports whether r fails the question once more. A resolver may remember that a
// question failed (RFC 9520 section 3.2), while it had no way to the Internet: so where more
// than one type of the name fails it is asked for one that nobody has asked for.
func (d *diagnosis) failsAgain(ctx context.Context, r Resolver) bool {
	q := d.Question
	if d.whole || d.open() {
		q.Qtype = control.UnusedType()
	}
	return d.failsStill(ctx, r, q)
}

// failsStill reports whether r answers q SERVFAIL now.
func (d *diagnosis) failsStill(ctx context.Context, r Resolver, q dns.Question) bool {
	m, err := r.Exchange(ctx, d.asked(q))
	switch {
	case err != nil:
		d.step(false, "no reply to %s %s, asked once more", r.Name, dns.Type(q.Qtype))
		return false
	case q == d.Question && answered(m) && r.Name == d.Failing.Name:
		d.answersNow = true
	}
	d.step(answered(m), "%s answers %s once more %s", r.Name, dns.Type(q.Qtype), dns.RcodeToString[m.Rcode])
	return m.Rcode == dns.RcodeServerFailure
}

// steady is for a question that failed and is answered now. Of several servers behind one
// address one may fail: then the next answers tell.
func (d *diagnosis) steady(ctx context.Context) (Finding, bool) {
	for range steadily {
		if failedInExchange(d.Verdict) {
			break
		}
		m, err := d.Failing.Exchange(ctx, d.query(false))
		if err != nil || answered(m) {
			continue
		}
		what := fmt.Sprintf("asked again, it answers this question now and then, and now and then %s", dns.RcodeToString[m.Rcode])
		d.saw(false, "%s", what)
		_, _ = d.because(adviceVaries, "%s: perhaps one of several servers at this address fails, or a limit is reached", what)
		return d.undecided(), true
	}
	return d.resolves(), true
}

const (
	// steadily is how often a question has to be answered once more until its failure is
	// taken for one that has passed.
	steadily     = 2
	adviceVaries = "Ask the upstream the same question many times. If it is a load balancer, or one address of several servers, ask each of these servers. Otherwise look at its limits."
)

// fails reports whether the failing upstream answers each of questions SERVFAIL now.
func (d *diagnosis) fails(ctx context.Context, questions ...control.Question) bool {
	for _, q := range questions {
		r, err := d.controls.Fresh(ctx, d.Failing.Name, control.Ask(d.Failing.Exchange), q, d.Now)
		switch {
		case err != nil:
			d.saw(false, "no reply to %s", q)
			return false
		case r.Rcode != dns.RcodeServerFailure:
			d.saw(r.Answers(), "it answers %s %s", q, dns.RcodeToString[r.Rcode])
			return false
		}
		d.step(false, "it fails %s", q)
	}
	return true
}

// top are the zones of which one has to be fetched from before more than the upstream's
// connection is blamed: the top-level domain of the name.
func (d *diagnosis) top() uplink.Zones {
	if tld := topLevel(d.Question.Name); tld != "." && !d.private() {
		return uplink.Zones{Top: tld}
	}
	return uplink.Zones{Any: true}
}

// anywhere is top where the domain may not exist.
func (d *diagnosis) anywhere() uplink.Zones {
	z := d.top()
	z.Any = true
	return z
}

// unconnected says why nobody is blamed where proved is false. more goes before it.
func (d *diagnosis) unconnected(more string) (Finding, bool) {
	switch d.unproved {
	case passing:
		d.saw(false, "it did not fail in the same way once more")
		return d.because(adviceAgain, "%sasked once more, it did not fail in the same way", more)
	case unsteady:
		d.saw(false, "it fetched what no cache has, and a moment later it was not seen to")
		return d.because(adviceUplink, "%sthe upstream fetched a name or type that it cannot know, and a moment later it was not seen to: its connection to the Internet may come and go", more)
	}
	d.saw(false, "it is not seen to fetch from the servers of %s what no cache has", strings.Join(d.zones, ", "))
	return d.because(adviceUplink, "%sthe upstream answers what it may remember, and was not seen to fetch a name or type that it cannot know: whether it reaches the Internet is not known", more)
}

const (
	adviceUplink = "Check the upstream's own connection to the Internet, and its own upstreams, before any zone."
	adviceAgain  = "Query the name again. If it fails now and then, look at the upstream's own connection to the Internet first."
)

// missing is for an upstream that answers SERVFAIL for a name that cannot exist. It hides
// that names do not exist only if it reaches the Internet and answers no such name; but where
// another one says NXDOMAIN, either is its own fault.
func (d *diagnosis) missing(ctx context.Context) (Finding, bool) {
	reaches := d.proved(ctx, d.anywhere(), func() bool {
		return d.fails(ctx, control.SeveralMissing...) && d.failsStill(ctx, d.Failing, d.Question)
	})
	if d.unproved == passing {
		return d.unconnected("")
	}
	f, ok := d.others(ctx)
	names, types := d.uplinks.Answered(d.Failing.Name)
	switch differs := ok && f.Verdict.Cause.ID == "upstreams_differ"; {
	case ok && !differs && f.Verdict.Cause.ID != "zone_at_fault":
		return f, true
	case d.exists:
		// Another one answers the name: it is not missing.
		return Finding{}, false
	case names:
		const what = "SERVFAIL for some names that cannot exist, and answers for others"
		d.saw(false, "%s", what)
		return d.because(adviceVaries, "the upstream has %s: perhaps one of several servers at this address fails, or it has lost its connection to the Internet and answers what it remembers", what)
	case !reaches && d.denied:
		return d.hidesOrLost()
	case d.unproved == unsteady:
		return d.unconnected("")
	case !reaches:
		_, _ = d.unconnected("")
		known := "the root"
		if types {
			known = "the root and unused types"
		}
		return d.because(adviceUplink, "the upstream answers %s, which it may remember, and SERVFAIL for a name that cannot exist: its connection to the Internet may be lost, or it answers SERVFAIL in place of NXDOMAIN", known)
	case differs:
		return d.convict("upstream_hides_nxdomain", "another upstream says NXDOMAIN")
	case d.denied:
		return d.convict("upstream_hides_nxdomain", "another resolver says NXDOMAIN")
	}
	return d.convict("upstream_hides_nxdomain", "")
}

// hidesOrLost blames an upstream that fails this name and one that cannot exist, where
// another resolver says NXDOMAIN.
func (d *diagnosis) hidesOrLost() (Finding, bool) {
	text := "another resolver says NXDOMAIN; this upstream answers SERVFAIL, for a name that cannot exist too: it answers SERVFAIL in place of NXDOMAIN, or has lost its connection to the Internet"
	v := cause.Diagnosed(d.Verdict, "upstream_at_fault", nil, text, text, "")
	v.Advice = "Check the upstream's own connection to the Internet. If that works, forward to a resolver that answers NXDOMAIN."
	d.step(false, "%s", text)
	return d.explained(v, "", false), true
}

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
	case !d.proved(ctx, d.top(), func() bool { return d.failsAgain(ctx, d.Failing) }):
		_, _ = d.unconnected(result.Text + "; ")
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
			witness = d.provedOf(ctx, r, d.top(), func() bool { return d.failsAgain(ctx, r) })
		}
	}
	switch {
	case !witness && d.unproved != unseen:
		_, _ = d.unconnected(result.Text + "; of another resolver: ")
	case !witness:
		d.saw(false, "%s, and none of these is seen to reach the Internet", result.Text)
		_, _ = d.because(adviceUplink, "%s, and none of these is seen to reach the Internet", result.Text)
	}
	return witness
}

const adviceShared = "Look at what the upstreams have in common for this name: a forward, a stub zone, a filter, or their connection to the Internet."
