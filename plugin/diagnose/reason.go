package diagnose

import (
	"context"
	"fmt"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
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
// root, and, since that may be in its cache, a made-up name below the same top-level
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
	tld := topLevel(d.Question.Name)
	madeUp := control.Question{Under: tld, Type: dns.TypeA, Unchecked: true}
	made, ok := d.shared(ctx, madeUp)
	switch {
	case ok && made.Answers():
		d.saw(true, "it answers %s, and for %s: so its reason is about this name", control.RootKeys, madeUp)
		f.Verdict = f.Verdict.OfZone()
	case ok:
		d.saw(false, "it answers %s, which it may have in its cache, and fails for %s%s: so its reason may be about the upstream itself", control.RootKeys, madeUp, reasons(made.Said))
		f.Verdict = f.Verdict.With("it fails for a made-up name under " + tld + " too")
		f.Text = f.Verdict.Text()
	default:
		d.saw(false, "no reply to %s: whether it reaches the Internet is not known", madeUp)
	}
	return f
}

// disputed compares the upstream's DNSSEC code with a validation here.
func (d *diagnosis) disputed(ctx context.Context, f Finding, code uint16) Finding {
	if d.private() {
		return f
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
		own, _ := d.judged(*found)
		own.Disagrees = text
		return own
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
		if own, ok := d.judged(*found); ok {
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

func contains(said []option.Option, code uint16) bool {
	for _, o := range said {
		if o.Code == code {
			return true
		}
	}
	return false
}
