package diagnose

import (
	"context"
	"fmt"
	"strings"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/compare"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/control"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// hearsay is for an upstream that gives a reason of its own. The reason stays, unless the
// upstream says the same of the root, or a validation here proves something else.
func (d *diagnosis) hearsay(ctx context.Context) (Finding, bool) {
	d.step(true, "%s says why: %s", d.Failing.Name, list(d.said))
	f := d.explained(cause.Relayed(d.Verdict, d.said), "", false)
	code, ofDNSSEC := cause.DNSSECCode(d.said)
	switch {
	case ofDNSSEC:
		return d.disputed(ctx, f, code), true
	case cause.ReachCode(d.said) && !d.private():
		return d.reaches(ctx, f), true
	}
	return f, true
}

// reaches compares what an upstream says that it cannot reach with what it reaches: the
// root, and, since that may be in its cache, what no cache has of the same top-level
// domain. Its reason is about the zone only if both are answered.
func (d *diagnosis) reaches(ctx context.Context, f Finding) Finding {
	keys, ok := d.shared(ctx, control.RootKeys)
	switch {
	case !ok:
		d.saw(false, "no reply to %s: whether it reaches the Internet is not known", control.RootKeys)
		return f
	case keys.Rcode == dns.RcodeServerFailure:
		if found, ok := d.offline(ctx); ok {
			return found
		}
		return f
	case !keys.Answers():
		d.saw(false, "it answers %s %s", control.RootKeys, dns.RcodeToString[keys.Rcode])
		return f
	}
	// That servers cannot be reached is about all types.
	d.whole = true
	below := control.Below(d.Question.Name)
	if d.proved(ctx, d.top(), func() bool { return d.failsAgain(ctx, d.Failing) && d.fails(ctx, below...) }) {
		d.saw(true, "it answers %s, and fetches from the servers of %s what no cache has: so its reason is about this name", control.RootKeys, strings.Join(d.zones, ", "))
		f.Verdict = f.Verdict.OfZone()
		return f
	}
	if d.unproved != unseen {
		_, _ = d.unconnected("")
		return f
	}
	d.saw(false, "it answers %s, which it may have in its cache, and is not seen to fetch from the servers of %s what no cache has: so its reason may be about the upstream itself", control.RootKeys, strings.Join(d.zones, ", "))
	tld := d.zones[0]
	made, err := d.controls.Get(ctx, d.Failing.Name, control.Ask(d.Failing.Exchange), control.MadeUp(tld), d.Now)
	if err == nil && !made.Answers() {
		f.Verdict = f.Verdict.With("it fails for a made-up name under " + tld + " too")
		f.Text = f.Verdict.Text()
	}
	return f
}

// disputed compares the upstream's DNSSEC code with a validation here.
func (d *diagnosis) disputed(ctx context.Context, f Finding, code uint16) Finding {
	if d.private() {
		return d.ofPrivate(ctx, f)
	}
	root, ok := d.shared(ctx, control.RootChecked)
	d.follows(ctx)
	found := d.wait(ctx)
	if ok && root.Rcode == dns.RcodeServerFailure {
		d.unvalidated = d.given[canonical(d.Question)]
		if guilty, ok := d.invalid(ctx, root); ok {
			guilty.Disagrees = fmt.Sprintf("the upstream says %d %s of this name and fails the root too%s", code, option.Name(code), reasons(root.Said))
			return guilty
		}
		if found.Stripped {
			if guilty, ok := d.stripped(ctx); ok {
				return guilty
			}
		}
	}
	if found.Clock {
		guilty, _ := d.clock(found)
		return guilty
	}
	here := found.Status.String()
	if len(found.Codes) > 0 {
		here = fmt.Sprintf("%d %s", found.Codes[0], option.Name(found.Codes[0]))
	}
	text := fmt.Sprintf("the upstream says %d %s, found here is %s: %s", code, option.Name(code), here, found.Text)
	d.unvalidated = d.given[canonical(d.Question)]
	if found.Status == dnssec.Bogus {
		d.suspect = "between upstream and zone"
		if own, ok := d.between(ctx); ok {
			own.Disagrees = text
			return own
		}
	}
	attested := d.attested(ctx, *found)
	switch found = &attested; {
	case len(d.Anchors) == 0, found.Status == dnssec.Undecided:
		return f
	case found.Bare && d.signed != "":
		if own, ok := d.judged(ctx, *found); ok {
			own.Disagrees = text
			return own
		}
		return f
	case found.Bare && contains(d.said, found.Codes[0]):
		d.saw(true, "the same is found here: %s", found.Text)
		open := *f.Verdict
		open.Advice = adviceWhose
		f.Verdict = &open
		return f
	case len(found.Codes) > 0 && contains(d.said, found.Codes[0]):
		d.saw(true, "the same is found here: %s", found.Text)
		f.Verdict, f.Zone = f.Verdict.OfZone(), found.Zone
		return f
	}
	d.step(false, "%s", text)
	d.said = nil
	if found.Status == dnssec.Bogus {
		if own, ok := d.judged(ctx, *found); ok {
			own.Disagrees = text
			return own
		}
	}
	f.Disagrees = text
	if found.Status == dnssec.Secure {
		open := *f.Verdict
		open.Advice = adviceValid
		f.Verdict = &open
	}
	return f
}

// ofPrivate is disputed for a private name, which no public chain judges: the upstream may
// reject an answer of its own.
func (d *diagnosis) ofPrivate(ctx context.Context, f Finding) Finding {
	d.unvalidated, _ = d.await(ctx, d.ask(ctx, true))
	d.suspect = "between upstream and zone"
	if own, ok := d.between(ctx); ok {
		return own
	}
	return f
}

func contains(said []option.Option, code uint16) bool {
	for _, o := range said {
		if o.Code == code {
			return true
		}
	}
	return false
}

// refused finds out whether the upstream refuses everything, refuses this name, or is
// authoritative only.
func (d *diagnosis) refused(ctx context.Context) (Finding, bool) {
	failing := d.comparable(d.Failing)
	controls := compare.Control(ctx, failing, d.Question.Name)
	d.step(false, "%s", controls.FullText)
	switch controls.Kind {
	case compare.NotRecursive:
		v := cause.Diagnosed(d.Verdict, "upstream_refused_not_recursive", controls.Codes, controls.Text, controls.FullText, "")
		return d.explained(v, "", false), true
	case compare.RefusesTheName:
		switch controls.Again(ctx, failing, d.Question) {
		case compare.RefusalPassed:
			return d.steady(ctx)
		case compare.RefusalOfName:
			d.saw(false, "it answers control questions, and refuses this name")
			return d.refusesName(ctx)
		case compare.RefusalVaries:
			d.saw(false, "it refuses control questions now and then")
			return d.because(adviceLimit, "it refuses this name, and questions for the root now and then: a rate limit may be the reason")
		}
	case compare.RefusesAll:
		d.saw(false, "it refuses control questions too")
		if d.Answered != nil {
			switch n := d.Answered(); {
			case n < answeredBefore:
			case controls.Recurses:
				return d.convict("upstream_rate_limit", fmt.Sprintf("it answered %d queries since this server started", n))
			default:
				// One that does not recurse answers for its own zones, and refuses the rest for ever.
				controls.Text += fmt.Sprintf("; it answered %d queries since this server started, perhaps for zones that it serves", n)
				controls.Advice = adviceServes
			}
		}
		d.refusesAll = true
		if f, ok := d.others(ctx); ok {
			// How long it will refuse is not known.
			f.Verdict.Lasts, f.Verdict.Advice = cause.LastsOpen, controls.Advice
			return f, true
		}
	}
	return d.because(controls.Advice, "%s", controls.Text)
}

const adviceServes = "Check whether the upstream is a resolver, or answers only for zones of its own: then forward only these zones to it. Otherwise check its access list and its limits for this server's address."

const adviceLimit = "Look at the upstream's rate limit for this server, which sends the queries of all its clients. Then look for a filter on it."

// answeredBefore is how many answers tell a limit from an access list.
const answeredBefore = 10

const adviceOfType = "Query the types that are needed: the upstream, or a server behind it, refuses this type by its policy, as many do with ANY (RFC 8482). If a client needs this type, change the policy there."

// refusesName words the refusal of one name by what kind of name it is. That another
// resolver answers the name does not make the policy of this one a fault.
func (d *diagnosis) refusesName(ctx context.Context) (Finding, bool) {
	if !d.answersAny(ctx) {
		return Finding{}, false
	}
	if f, ok := d.local(ctx); ok {
		return f, true
	}
	sibling := d.asked(d.sibling())
	if m, err := d.Failing.Exchange(ctx, sibling); err == nil && answered(m) {
		if !d.each(ctx, sibling, answered) {
			return d.unlike("it refuses the name, and answered the type %s of it", dns.Type(d.sibling().Qtype))
		}
		f, ok := d.convict("only_one_type_fails", fmt.Sprintf("it refuses the type %s, and answers the type %s", dns.Type(d.Question.Qtype), dns.Type(d.sibling().Qtype)))
		f.Verdict.Advice = adviceOfType
		return f, ok
	}
	more := "a filter blocks it, or the upstream does not forward its zone"
	advice := ""
	if dns.CountLabel(d.Question.Name) == 1 {
		more = "perhaps it does not forward names of one label, or a filter blocks this name"
		advice = "Query the full name, or forward to the servers behind this stub resolver (/run/systemd/resolve/resolv.conf). In systemd-resolved, ResolveUnicastSingleLabel=yes forwards such names."
	}
	f, ok := d.convict("upstream_refuses_name", more)
	if advice != "" {
		f.Verdict.Advice = advice
	}
	return f, ok
}
