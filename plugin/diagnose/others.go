package diagnose

import (
	"context"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/compare"
)

// compare asks the other upstreams and the resolvers to compare with.
func (d *diagnosis) compare(ctx context.Context, undecided Finding) Finding {
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
		return undecided
	}
	result := compare.Compare(ctx, d.Question, compare.Resolver{Name: d.Failing.Name, Ask: d.asker(d.Failing)}, others)
	d.step(result.Verdict == compare.UpstreamAtFault, "%s", result.FullText)
	switch result.Verdict {
	case compare.UpstreamAtFault:
		v := cause.Diagnosed(d.Verdict, "upstream_at_fault", nil, result.Text, result.FullText, "")
		if result.Advice != "" {
			v.Advice = result.Advice
		}
		return d.explained(v, "", false)
	case compare.ZoneAtFault:
		return d.explained(cause.Diagnosed(d.Verdict, "zone_at_fault", nil, result.Text, result.FullText, ""), "", false)
	}
	return undecided
}

// refused tells an authoritative-only upstream from one that refuses us.
func (d *diagnosis) refused(ctx context.Context) Finding {
	control := compare.Control(ctx, compare.Resolver{Name: d.Failing.Name, Ask: d.asker(d.Failing)}, d.Question.Name)
	d.step(false, "%s", control.FullText)
	if control.Kind == compare.NotRecursive {
		v := cause.Diagnosed(d.Verdict, "upstream_refused_not_recursive", control.Codes, control.Text, control.FullText, "")
		return d.explained(v, "", false)
	}
	return d.compare(ctx, Finding{Text: control.Text})
}

func (d *diagnosis) asker(r Resolver) compare.Ask {
	return func(ctx context.Context, q dns.Question) (*dns.Msg, error) {
		return r.Exchange(ctx, question(q, false, d.DNSSECOK))
	}
}
