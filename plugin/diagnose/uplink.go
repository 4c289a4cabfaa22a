package diagnose

import (
	"context"
	"slices"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/compare"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/control"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/delegation"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/uplink"
)

// fetches reports whether r is seen to fetch from the servers of one of zones what no
// cache has. An upstream that has lost its way to the Internet still answers what it
// remembers, the root and its signed denials among it, so that those clear nobody.
// r is the failing upstream, or counted.
func (d *diagnosis) fetches(ctx context.Context, r Resolver, zones ...string) bool {
	prober := uplink.Prober{Controls: &d.controls, Now: d.Now, Step: d.step}
	for _, zone := range zones {
		key := r.Name + " " + zone
		seen, ok := d.fetched[key]
		if !ok {
			seen = r.Name == d.Failing.Name && zone == topLevel(d.Question.Name) && d.fresh.Load() ||
				prober.Fetches(ctx, r.Name, control.Ask(r.Exchange), zone)
			d.fetched[key] = seen
		}
		if seen {
			return true
		}
	}
	return false
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
