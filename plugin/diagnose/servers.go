package diagnose

import (
	"context"
	"net/netip"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/delegation"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
)

// roots returns the addresses of the root servers as the upstream knows them,
// since the tree that it resolves in is the one to look at. nil stands for the
// public ones.
func (d *diagnosis) roots(ctx context.Context, port uint16) []netip.AddrPort {
	if port == 0 {
		port = 53
	}
	reply, err := d.Failing.Exchange(ctx, question(dns.Question{Name: ".", Qtype: dns.TypeNS, Qclass: dns.ClassINET}, true, true))
	if err != nil {
		return nil
	}
	var roots []netip.AddrPort
	for _, rr := range reply.Answer {
		ns, ok := rr.(*dns.NS)
		if !ok || len(roots) >= maxRoots {
			continue
		}
		a, err := d.Failing.Exchange(ctx, question(dns.Question{Name: ns.Ns, Qtype: dns.TypeA, Qclass: dns.ClassINET}, true, true))
		if err != nil {
			continue
		}
		for _, rr := range a.Answer {
			if rr, ok := rr.(*dns.A); ok {
				if addr, ok := netip.AddrFromSlice(rr.A.To4()); ok {
					roots = append(roots, netip.AddrPortFrom(addr, port))
				}
			}
		}
	}
	return roots
}

// maxRoots is how many root servers are looked up: one that answers suffices.
const maxRoots = 3

// delegationCause is the cause that stands for what the zone's servers did.
var delegationCause = map[delegation.Kind]string{
	delegation.Lame:              "lame_delegation",
	delegation.Unreachable:       "authority_unreachable",
	delegation.NoAddress:         "authority_unreachable",
	delegation.SpecialAddress:    "authority_unreachable",
	delegation.SerialMismatch:    "serial_mismatch",
	delegation.DNSKEYUnavailable: "authority_unreachable",
}

// prober asks name servers within what is left of the budget, in the tree that
// the upstream resolves in.
func (d *diagnosis) prober(ctx context.Context) *delegation.Prober {
	p := *d.Delegation
	p.Resolve = func(ctx context.Context, q dns.Question) (*dns.Msg, error) {
		return d.Failing.Exchange(ctx, question(q, true, true))
	}
	p.Direct = func(ctx context.Context, server netip.AddrPort, q *dns.Msg) (*dns.Msg, error) {
		if !d.spend() {
			return nil, dnssec.ErrBudget
		}
		return d.Delegation.Direct(ctx, server, q)
	}
	if p.Roots == nil {
		p.Roots = d.roots(ctx, p.Port)
	}
	p.MaxQueries = MaxQueries
	return &p
}

// delegation says what the zone's own name servers do.
func (d *diagnosis) delegation(ctx context.Context) (Finding, bool) {
	p := d.probe(ctx)
	<-p.ended
	found := p.found
	id, ok := delegationCause[found.Kind]
	if !p.told {
		p.told = true
		for _, s := range found.Steps {
			d.note(Step{Zone: s.Zone, What: s.What, OK: s.OK})
		}
		d.note(Step{Zone: found.Zone, What: found.Text, OK: found.Kind == delegation.Healthy})
	}
	if !ok {
		return Finding{}, false
	}
	v := cause.Diagnosed(d.Verdict, id, found.Codes, found.Text, found.FullText, found.Zone)
	return d.explained(v, found.Zone, true), true
}

// servers stands for the name servers of the zones on the way.
func (d *diagnosis) servers(ctx context.Context) Resolver {
	if d.probing != nil {
		<-d.probing.ended
	}
	if d.source == nil {
		d.source = d.prober(ctx).Source(ctx)
	}
	return Resolver{Name: "the zones' own servers", Exchange: func(_ context.Context, m *dns.Msg) (*dns.Msg, error) {
		return d.source.Ask(m.Question[0])
	}}
}
