package diagnose

import (
	"context"
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/delegation"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// causeOf is the cause that stands for a DNSSEC finding's first code.
var causeOf = map[uint16]string{
	1: "dnssec_unsupported_algorithm", 2: "dnssec_unsupported_digest", 5: "dnssec_indeterminate",
	6: "dnssec_bogus", 7: "dnssec_signature_expired", 8: "dnssec_signature_not_yet_valid",
	9: "dnssec_dnskey_missing", 10: "dnssec_rrsigs_missing", 11: "dnssec_no_zone_key",
	12: "dnssec_nsec_missing", 22: "authority_unreachable", 23: "authority_unreachable",
	25: "dnssec_expired_before_valid", 27: "dnssec_nsec3_iterations",
}

// dnssec validates the chain. byDNSSEC says that the upstream answers with
// CD=1 and only so. What validates here is never called bogus.
func (d *diagnosis) dnssec(ctx context.Context, byDNSSEC bool, said []option.Option) (Finding, bool) {
	if len(d.Anchors) == 0 {
		return Finding{}, false
	}
	found := d.validate(ctx)
	cut := found.Type == dns.TypeDNSKEY || found.Type == dns.TypeDS
	switch {
	case found.Clock:
		return d.explained(cause.Diagnosed(d.Verdict, "clock_wrong", nil, "", "", ""), "", false), true
	case found.Status == dnssec.Bogus && len(found.Codes) > 0:
		id, ok := causeOf[found.Codes[0]]
		if !ok {
			break
		}
		verdict := cause.Diagnosed(d.Verdict, id, found.Codes, found.Text, found.Text, found.Zone)
		return d.explained(verdict.Beside(said), found.Zone, cut), true
	case found.Status == dnssec.Undecided && byDNSSEC && !d.private():
		// Twice with CD=0 it fails and with CD=1 it does not: what the upstream
		// objects to is DNSSEC, though not seen what.
		text := "the upstream answers with CD=1 only: it finds the answer bogus"
		verdict := cause.Diagnosed(d.Verdict, causeOf[6], []uint16{6}, text, text, "")
		return d.explained(verdict.Beside(said), "", false), true
	}
	d.step(found.Status == dnssec.Secure, "validation here: %s %s", found.Status, found.Text)
	return Finding{}, false
}

// validate follows the chain by what the failing upstream gives with CD=1.
func (d *diagnosis) validate(ctx context.Context) dnssec.Finding {
	v := &dnssec.Validator{
		Exchange: func(ctx context.Context, q dns.Question) (*dns.Msg, error) {
			return d.Failing.Exchange(ctx, question(q, true))
		},
		Now: d.Now, Anchors: d.Anchors, NegativeAnchors: slices.Concat(d.Engine.Private, d.Case.Private),
		Ed448: d.Ed448, MaxQueries: MaxQueries,
	}
	found := v.Validate(ctx, d.Question)
	for _, s := range found.Steps {
		d.note(Step{Zone: s.Zone, What: s.What, OK: s.OK})
	}
	return found
}

// roots returns the addresses of the root servers as the upstream knows them,
// since the tree that it resolves in is the one to look at. nil stands for the
// public ones.
func (d *diagnosis) roots(ctx context.Context, port uint16) []netip.AddrPort {
	if port == 0 {
		port = 53
	}
	reply, err := d.Failing.Exchange(ctx, question(dns.Question{Name: ".", Qtype: dns.TypeNS, Qclass: dns.ClassINET}, true))
	if err != nil {
		return nil
	}
	var roots []netip.AddrPort
	for _, rr := range reply.Answer {
		ns, ok := rr.(*dns.NS)
		if !ok || len(roots) >= maxRoots {
			continue
		}
		a, err := d.Failing.Exchange(ctx, question(dns.Question{Name: ns.Ns, Qtype: dns.TypeA, Qclass: dns.ClassINET}, true))
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

// delegation asks the zone's own name servers.
func (d *diagnosis) delegation(ctx context.Context) (Finding, bool) {
	if d.private() {
		return Finding{}, false
	}
	p := *d.Delegation
	p.Resolve = func(ctx context.Context, q dns.Question) (*dns.Msg, error) {
		return d.Failing.Exchange(ctx, question(q, true))
	}
	if p.Roots == nil {
		p.Roots = d.roots(ctx, p.Port)
	}
	p.MaxQueries = max(1, MaxQueries-int(d.queries.Load()))
	found := p.Probe(ctx, d.Question.Name, d.Question.Qtype)
	d.queries.Add(int64(found.Queries))
	for _, s := range found.Steps {
		d.note(Step{Zone: found.Zone, What: s, OK: found.Kind == delegation.Healthy})
	}
	id, ok := delegationCause[found.Kind]
	if !ok {
		d.step(found.Kind == delegation.Healthy, "%s", found.Text)
		return Finding{}, false
	}
	v := cause.Diagnosed(d.Verdict, id, found.Codes, found.Text, found.FullText, found.Zone)
	return d.explained(v, found.Zone, true), true
}
