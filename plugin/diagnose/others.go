package diagnose

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/compare"
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
