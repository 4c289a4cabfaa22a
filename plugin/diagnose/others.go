package diagnose

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/compare"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/control"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// others asks the other upstreams and the resolvers to compare with: who answers
// where this one fails.
func (d *diagnosis) others(ctx context.Context) (Finding, bool) {
	var others []compare.Resolver
	for _, r := range d.Others {
		others = append(others, compare.Resolver{Name: r.Name, Ask: d.asker(r), SameForward: true})
	}
	// Others know nothing of a private name: their NXDOMAIN would be an answer.
	if !d.private() {
		for _, r := range d.Compare {
			others = append(others, compare.Resolver{Name: r.Name, Ask: d.asker(d.counted(r))})
		}
	}
	if len(others) == 0 {
		d.step(false, "no other resolver to ask")
		return Finding{}, false
	}
	result := compare.Compare(ctx, d.Question, compare.Resolver{Name: d.Failing.Name, Ask: d.asker(d.Failing)}, others)
	d.step(result.Verdict == compare.UpstreamAtFault, "%s", result.FullText)
	d.denied = result.Denied
	id := ""
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
	v := cause.Diagnosed(d.Verdict, id, nil, result.Text, result.FullText, "")
	if result.Advice != "" {
		v.Advice = result.Advice
	}
	return d.explained(v, "", false), true
}

// refused tells an upstream that refuses everything from one that refuses this name,
// and from one that is authoritative only.
func (d *diagnosis) refused(ctx context.Context) (Finding, bool) {
	controls := compare.Control(ctx, compare.Resolver{Name: d.Failing.Name, Ask: d.asker(d.Failing)}, d.Question.Name)
	d.step(false, "%s", controls.FullText)
	switch controls.Kind {
	case compare.NotRecursive:
		v := cause.Diagnosed(d.Verdict, "upstream_refused_not_recursive", controls.Codes, controls.Text, controls.FullText, "")
		return d.explained(v, "", false), true
	case compare.RefusesTheName:
		d.saw(false, "it answers control questions, and refuses this name")
		return d.refusesName(ctx)
	case compare.RefusesAll:
		d.saw(false, "it refuses control questions too")
		if d.Answered != nil {
			if n := d.Answered(); n >= answeredBefore {
				return d.convict("upstream_rate_limit", fmt.Sprintf("%d answers came from it before, and refusals at %sZ", n, d.Now().UTC().Format(time.TimeOnly)))
			}
		}
	}
	_, _ = d.because(controls.Advice, "%s", controls.Text)
	return d.others(ctx)
}

// answeredBefore is how many answers tell a limit from an access list.
const answeredBefore = 10

// refusesName words the refusal of one name by what kind of name it is.
func (d *diagnosis) refusesName(ctx context.Context) (Finding, bool) {
	if f, ok := d.others(ctx); ok {
		return f, true
	}
	more := "a filter, or a zone that it keeps to itself"
	advice := ""
	if dns.CountLabel(d.Question.Name) == 1 {
		more = "it may not forward names of a single label, or a filter has this one"
		advice = "Ask for the full name, or forward to the servers behind this stub (/run/systemd/resolve/resolv.conf); with systemd-resolved ResolveUnicastSingleLabel=yes forwards such names."
	}
	f, ok := d.convict("upstream_refuses_name", more)
	if advice != "" {
		f.Verdict.Advice = advice
	}
	return f, ok
}

// hearsay is for an upstream that gives a reason of its own. It stands, unless it
// says the same of the root, or a validation here proves something else.
func (d *diagnosis) hearsay(ctx context.Context) (Finding, bool) {
	d.step(true, "%s says why: %s", d.Failing.Name, list(d.said))
	f := d.explained(cause.Relayed(d.Verdict, d.said), "", false)
	f.Stands = d.Verdict.Cause.ID == "upstream_ede" && sameCodes(d.Verdict, f.Verdict)
	code, ofDNSSEC := cause.DNSSECCode(d.said)
	switch {
	case ofDNSSEC:
		return d.disputed(ctx, f, code), true
	case cause.ReachCode(d.said):
		if keys, ok := d.shared(ctx, control.RootKeys); ok && keys.Rcode == dns.RcodeServerFailure && !d.private() {
			if found, ok := d.offline(ctx); ok {
				return found, true
			}
		} else if ok {
			d.saw(true, "it answers %s: what it says is of this name", control.RootKeys)
		}
	}
	return f, true
}

// disputed holds the upstream's DNSSEC code against a validation here.
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
			guilty, _ := d.convict("dnssec_stripped", "")
			return guilty
		}
	}
	here := found.Status.String()
	switch {
	case found.Clock:
		guilty, _ := d.convict("clock_wrong", "")
		return guilty
	case len(d.Anchors) == 0, found.Status == dnssec.Undecided:
		return f
	case len(found.Codes) > 0 && contains(d.said, found.Codes[0]):
		d.step(true, "the same is found here: %s", found.Text)
		return f
	case len(found.Codes) > 0:
		here = fmt.Sprintf("%d %s", found.Codes[0], option.Name(found.Codes[0]))
	}
	text := fmt.Sprintf("the upstream says %d %s, found here is %s: %s", code, option.Name(code), here, found.Text)
	d.step(false, "%s", text)
	d.unvalidated = d.given[canonical(d.Question)]
	d.said = nil
	if found.Status == dnssec.Bogus {
		if own, ok := d.between(ctx); ok {
			own.Disagrees = text
			return own
		}
		if own, ok := d.judged(*found); ok {
			own.Disagrees = text
			return own
		}
	}
	f.Disagrees = text
	return f
}

// sameCodes reports whether two verdicts say the same codes, in whatever words.
func sameCodes(a, b *cause.Verdict) bool { return slices.Equal(a.Codes(), b.Codes()) }

func contains(said []option.Option, code uint16) bool {
	for _, o := range said {
		if o.Code == code {
			return true
		}
	}
	return false
}

func (d *diagnosis) asker(r Resolver) compare.Ask {
	return func(ctx context.Context, q dns.Question) (*dns.Msg, error) {
		return r.Exchange(ctx, d.asked(q))
	}
}

// failedInExchange reports whether v is about an exchange that failed and not about
// an answer.
func failedInExchange(v *cause.Verdict) bool {
	return strings.HasPrefix(v.Cause.ID, "upstream_") && !strings.HasPrefix(v.Cause.ID, "upstream_servfail") &&
		!strings.HasPrefix(v.Cause.ID, "upstream_refused") && v.Cause.ID != "upstream_ede"
}
