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
)

// others asks the other upstreams and the resolvers to compare with: who answers
// where this one fails. It asks them once.
func (d *diagnosis) others(ctx context.Context) (Finding, bool) {
	if d.compared {
		return Finding{}, false
	}
	d.compared = true
	var others []compare.Resolver
	for _, r := range d.Others {
		peer := d.comparable(r)
		peer.SameForward = true
		others = append(others, peer)
	}
	// Others know nothing of a private name: their NXDOMAIN would be an answer.
	if !d.private() {
		for _, r := range d.Compare {
			others = append(others, d.comparable(d.counted(r)))
		}
	}
	if len(others) == 0 {
		d.step(false, "no other resolver to ask")
		return Finding{}, false
	}
	failing := d.comparable(d.Failing)
	result := compare.Compare(ctx, d.Question, failing, others)
	d.step(result.Verdict == compare.UpstreamAtFault, "%s", result.FullText)
	d.denied = result.Denied
	id := ""
	switch against := result.Verdict == compare.UpstreamAtFault || result.Verdict == compare.Differ; {
	case against && result.Failing.Kind == compare.Refuses && !d.refusesAll:
		// A policy for this name is no fault.
		d.saw(false, "%s", result.Text)
		return Finding{}, false
	case against && result.Failing.Kind == compare.Fails && !d.holds && !result.Witnessed(ctx, d.Question, failing, others):
		return d.unwitnessed(result)
	}
	switch result.Verdict {
	case compare.UpstreamAtFault:
		id = "upstream_at_fault"
	case compare.Differ:
		id = "upstreams_differ"
	case compare.ZoneAtFault:
		id = "zone_at_fault"
	default:
		d.saw(false, "%s", result.Text)
		return Finding{}, false
	}
	if id != "upstream_at_fault" && !d.judges(ctx, id, result) {
		return Finding{}, false
	}
	v := cause.Diagnosed(d.Verdict, id, nil, result.Text, result.FullText, "")
	if id == "upstreams_differ" && slices.ContainsFunc(result.Others, func(v compare.Vote) bool { return v.ByRoot }) {
		// Otherwise one may fail the zone, and the other be right.
		v.Owner, v.Lasts, v.Advice = cause.Us, cause.Persistent, adviceSeparate
	}
	if result.Advice != "" {
		v.Advice = result.Advice
	}
	return d.explained(v, "", false), true
}

const adviceSeparate = "Write a separate forward for the name's zone, to the server of that zone, because one forward may ask any of its upstreams."

// unwitnessed is for a name that others answer and that the failing upstream may reject
// for DNSSEC, which none of them was seen to validate.
func (d *diagnosis) unwitnessed(result compare.Result) (Finding, bool) {
	d.exists = result.Verdict == compare.UpstreamAtFault
	d.saw(false, "%s, but none was seen to validate DNSSEC as this one may", result.Text)
	return d.because(adviceUnseen, "%s; none of those is seen to validate DNSSEC, as this upstream may: it may rightly reject the name", result.Text)
}

// comparable is r as a comparison asks it.
func (d *diagnosis) comparable(r Resolver) compare.Resolver {
	return compare.Resolver{Name: r.Name,
		Ask: func(ctx context.Context, q dns.Question) (*dns.Msg, error) { return r.Exchange(ctx, d.asked(q)) },
		Checked: func(ctx context.Context, q dns.Question) (*dns.Msg, error) {
			m := question(q, false, true)
			m.AuthenticatedData = true
			return r.Exchange(ctx, m)
		},
	}
}

// failedInExchange reports whether v is about an exchange that failed and not about
// an answer.
func failedInExchange(v *cause.Verdict) bool {
	return strings.HasPrefix(v.Cause.ID, "upstream_") && !strings.HasPrefix(v.Cause.ID, "upstream_servfail") &&
		!strings.HasPrefix(v.Cause.ID, "upstream_refused") && v.Cause.ID != "upstream_ede"
}

// part asks other questions than the one that failed, where the upstream fails that with
// CD=1 too and nobody was convicted: another type of the same name, and a name that
// cannot exist.
func (d *diagnosis) part(ctx context.Context) (Finding, bool) {
	if d.first == nil || d.first.Rcode != dns.RcodeServerFailure || d.open() {
		return Finding{}, false
	}
	if d.ofDO(ctx) {
		return Finding{}, false
	}
	sibling := d.sibling()
	m, err := d.Failing.Exchange(ctx, d.asked(sibling))
	switch {
	case err != nil:
		d.saw(false, "no reply to the type %s of the name", dns.Type(sibling.Qtype))
		return Finding{}, false
	case m.Rcode == dns.RcodeSuccess:
		return d.oneType(ctx, sibling, len(m.Answer) > 0)
	}
	d.whole = true
	d.saw(true, "the type %s of the name fails too", dns.Type(sibling.Qtype))
	root, ok := d.shared(ctx, control.RootServers)
	if !ok || !root.Answers() {
		return Finding{}, false
	}
	if f, ok := d.local(ctx); ok {
		return f, true
	}
	missing, ok := d.shared(ctx, control.Missing)
	switch {
	case !ok:
		return Finding{}, false
	case missing.Rcode != dns.RcodeServerFailure:
		d.saw(true, "a name that cannot exist is answered %s", dns.RcodeToString[missing.Rcode])
		return Finding{}, false
	}
	return d.missing(ctx)
}

// local is for a name under local that fails where any other there does: the upstream
// leaves them to multicast DNS. One that a forward here is for has its own servers
// already.
func (d *diagnosis) local(ctx context.Context) (Finding, bool) {
	name := strings.ToLower(d.Question.Name)
	meant := func(zone string) bool { return dns.IsSubDomain(zone, name) }
	if !dns.IsSubDomain("local.", name) || slices.ContainsFunc(d.Case.Private, meant) {
		return Finding{}, false
	}
	missing, ok := d.shared(ctx, control.MissingLocal)
	if !ok || missing.Rcode != d.first.Rcode {
		return Finding{}, false
	}
	if missing.Rcode == dns.RcodeServerFailure &&
		!d.proved(ctx, d.anywhere(), func() bool { return d.fails(ctx, control.MissingLocal) && d.failsStill(ctx, d.Failing, d.Question) }) {
		return d.unconnected("")
	}
	return d.convict("upstream_local_name", "")
}

// answersAny reports whether the upstream answers a name that no policy is about and no cache
// has. One that is busy refuses now this and now that name, and the queries that keep it busy
// may be this server's own, if it sends them back here.
func (d *diagnosis) answersAny(ctx context.Context) bool {
	q := control.MadeUp("com.")
	r, err := d.controls.Fresh(ctx, d.Failing.Name, control.Ask(d.Failing.Exchange), q, d.Now)
	if err == nil && r.Answers() {
		return true
	}
	what := "a made-up name gets no reply"
	switch {
	case err == nil:
		what = "a made-up name is answered " + dns.RcodeToString[r.Rcode]
	case ctx.Err() != nil:
		what = "there was no time to wait for the answer to a made-up name"
	}
	d.saw(false, "%s", what)
	_, _ = d.because(adviceStorm, "it refuses this name, and %s: a policy for more than this name, a limit, its load, or a loop may be the reason", what)
	return false
}

const adviceStorm = "Find out first whether the upstream forwards queries back to this server: look for this server's address among its own upstreams. Then look at its limits and its load, and at its policy for this name."

// otherwise asks a question that gets no reply in other ways: for another type of the name,
// and without EDNS.
func (d *diagnosis) otherwise(ctx context.Context) (Finding, bool) {
	sibling, plain := d.sibling(), d.asked(d.Question)
	plain.Extra = nil
	for _, way := range []struct {
		m            *dns.Msg
		what, advice string
	}{
		{d.asked(sibling), fmt.Sprintf("the type %s of the name is answered, which it may remember", dns.Type(sibling.Qtype)), adviceSibling},
		{plain, "without EDNS this question is answered", adviceEDNS},
	} {
		if m, err := d.Failing.Exchange(ctx, way.m); err == nil && answered(m) && d.each(ctx, way.m, answered) {
			d.saw(false, "%s", way.what)
			return d.because(way.advice, "asked again, it answers for the root, and not this question in time; %s", way.what)
		}
	}
	return d.because(adviceBusy, "asked again, %s: it answers for the root, and not this question in time", d.counts())
}

// oneType is the finding that another type of the name is answered, which clears the
// name, its zone's keys and the way there, if the upstream need not have remembered it.
// A third type, which nobody uses, shows whether types fail that the name does not have.
// The server of a private name may have one entry only, and not reach the Internet.
func (d *diagnosis) oneType(ctx context.Context, sibling dns.Question, records bool) (Finding, bool) {
	what := "is answered"
	if !records {
		what = "is answered, without records"
	}
	text := fmt.Sprintf("the type %s of the name fails; the type %s %s", dns.Type(d.Question.Qtype), dns.Type(sibling.Qtype), what)
	if !d.each(ctx, d.asked(sibling), answered) || !d.each(ctx, d.query(false), hasRcode(dns.RcodeServerFailure)) {
		return d.unlike("%s", text)
	}
	if !d.private() {
		third, failsToo := sibling, false
		third.Qtype = anyType
		again := func() bool {
			m, err := d.Failing.Exchange(ctx, d.asked(third))
			// That the time is up shows nothing of the upstream.
			failsToo = err != nil && ctx.Err() == nil || err == nil && m.Rcode != dns.RcodeSuccess
			return err == nil && !failsToo && d.failsAgain(ctx, d.Failing)
		}
		switch proved := d.proved(ctx, d.top(), again); {
		case !proved && !failsToo:
			return d.unconnected(text + ", which it may remember; ")
		case !proved:
			d.saw(false, "%s; a type that nobody uses fails too", text)
			return d.because(adviceTypes, "%s, and a type that nobody uses is not: perhaps all types fail that the name does not have", text)
		}
		text = "only " + text
	}
	v := cause.Diagnosed(d.Verdict, "only_one_type_fails", nil, text, text, "")
	if d.private() {
		v.Owner = cause.Upstream
		v = v.With(fmt.Sprintf("the name is private, and perhaps the upstream has only its type %s", dns.Type(sibling.Qtype)))
	}
	if slices.Contains([]uint16{dns.TypeAAAA, dns.TypeA}, d.Question.Qtype) {
		d.step(false, "%s", text)
	}
	return d.explained(v, "", false), true
}

const adviceTypes = "Look at the zone's proof that a type does not exist (NSEC), and whether its name servers answer NOERROR for types that they do not have."
