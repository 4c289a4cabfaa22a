package diagnose

import (
	"context"
	"fmt"
	"slices"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// causeOf is the cause that stands for a DNSSEC finding's first code.
var causeOf = map[uint16]string{
	1: "dnssec_unsupported_algorithm", 2: "dnssec_unsupported_digest",
	6: "dnssec_bogus", 7: "dnssec_signature_expired", 8: "dnssec_signature_not_yet_valid",
	9: "dnssec_dnskey_missing", 10: "dnssec_rrsigs_missing", 11: "dnssec_no_zone_key",
	12: "dnssec_nsec_missing", 22: "authority_unreachable", 23: "authority_unreachable",
	25: "dnssec_expired_before_valid", 27: "dnssec_nsec3_iterations",
}

// dnssec draws the verdict from a validation by what the upstream gives. byDNSSEC
// says that it answers with CD=1 and only so. What validates here is never called
// bogus.
func (d *diagnosis) dnssec(ctx context.Context, found dnssec.Finding, byDNSSEC bool, said []option.Option) (Finding, bool) {
	if len(d.Anchors) == 0 {
		return Finding{}, false
	}
	switch holds := found.Status == dnssec.Secure || found.Status == dnssec.Insecure; {
	case found.Clock, d.private():
	case found.Status == dnssec.Undecided:
		if other, ok := d.elsewhere(ctx); ok {
			found = other
		} else if other, ok := d.witness(ctx, found); ok {
			found = other
		}
	case holds && byDNSSEC && d.Delegation != nil:
		// What the upstream objects to may be what it does not give with CD=1.
		d.step(false, "what the upstream gives with CD=1 is %s, and not what it objects to: once more through the zones' own servers", found.Status)
		if other := d.validate(ctx, d.servers(ctx)); other.Status == dnssec.Bogus {
			found = other
		}
	}
	zone, cut := found.Zone, found.Type == dns.TypeDNSKEY
	if found.Type == dns.TypeDS {
		// The parent judges the DS, and the child alone is cut off by it.
		zone, cut = found.Owner, true
	}
	switch {
	case found.Clock:
		return d.explained(cause.Diagnosed(d.Verdict, "clock_wrong", nil, "", "", ""), "", false), true
	case found.Status == dnssec.Bogus && len(found.Codes) > 0:
		id, ok := causeOf[found.Codes[0]]
		if !ok {
			break
		}
		verdict := cause.Diagnosed(d.Verdict, id, found.Codes, found.Text, found.Text, found.Zone)
		f := d.explained(verdict.Beside(said), zone, cut)
		f.Fault = &found
		return f, true
	case found.Status == dnssec.Insecure && byDNSSEC && len(found.Codes) > 0 && !found.Foreign && !d.private():
		// What no validator can judge is taken for unsigned by most, and failed
		// by this one (for NSEC3 iterations RFC 9276 section 3.2 allows both).
		verdict := cause.Diagnosed(d.Verdict, causeOf[found.Codes[0]], found.Codes, found.Text, found.Text, found.Zone)
		return d.explained(verdict.Beside(said), "", false), true
	case found.Status == dnssec.Undecided && byDNSSEC && !d.private():
		// Twice with CD=0 it fails and with CD=1 it does not: what the upstream
		// objects to is DNSSEC, though not seen what.
		text := "the upstream answers with CD=1 only: it finds the answer bogus"
		verdict := cause.Diagnosed(d.Verdict, causeOf[6], []uint16{6}, text, text, "")
		return d.explained(verdict.Beside(said), "", false), true
	case found.Status != dnssec.Undecided:
		d.step(found.Status == dnssec.Secure, "validated here it is %s: %s", found.Status, found.Text)
	}
	return Finding{}, false
}

// validate follows the chain by what a resolver gives with CD=1.
func (d *diagnosis) validate(ctx context.Context, r Resolver) dnssec.Finding {
	found := d.follow(ctx, r, d.Question)
	d.trace(found)
	return found
}

// follow is validate without a trace. What the failing upstream gave once it is
// not asked for again, but that it failed stands for one question only: some are
// asked twice for a reason.
func (d *diagnosis) follow(ctx context.Context, r Resolver, of dns.Question) dnssec.Finding {
	given := make(map[dns.Question]*dns.Msg)
	if r.Name == d.Failing.Name {
		given = d.given
	}
	v := &dnssec.Validator{
		Exchange: func(ctx context.Context, q dns.Question) (*dns.Msg, error) {
			if m, ok := given[q]; ok {
				if !answered(m) {
					delete(given, q)
				}
				return m, nil
			}
			m, err := r.Exchange(ctx, question(q, true, true))
			if err == nil && answered(m) {
				given[q] = m
			}
			return m, err
		},
		Now: d.Now, Anchors: d.Anchors, NegativeAnchors: slices.Concat(d.Engine.Private, d.Case.Private),
		Ed448: d.Ed448, MaxQueries: MaxQueries,
	}
	return v.Validate(ctx, of)
}

// trace notes the way of a validation.
func (d *diagnosis) trace(found dnssec.Finding) {
	for _, s := range found.Steps {
		d.note(Step{Zone: s.Zone, What: s.What, OK: s.OK})
	}
}

// elsewhere validates by what others give, where the failing upstream keeps data
// to itself even with CD=1: the other upstreams of the forward, the resolvers to
// compare with, and the zones' own servers, each as far as configured. All of a
// chain comes from one of them, so that the control of the root's signatures
// holds for the rest.
func (d *diagnosis) elsewhere(ctx context.Context) (dnssec.Finding, bool) {
	sources := slices.Clone(d.Others)
	for _, r := range d.Compare {
		sources = append(sources, d.counted(r))
	}
	if d.Delegation != nil {
		sources = append(sources, d.servers(ctx))
	}
	for _, s := range sources {
		d.step(false, "the upstream withholds that: once more through %s", s.Name)
		if found := d.validate(ctx, s); found.Status != dnssec.Undecided || found.Clock {
			return found, true
		}
	}
	return dnssec.Finding{}, false
}

// anyType is a type that no apex has, of those for private use (RFC 6895 section
// 3.1).
const anyType = 65280

// witness looks at the apex of the zone whose answer the upstream keeps to itself.
// PowerDNS Recursor, for one, looks for a zone cut at the name of each record that
// does not hold, and fails if that search meets the same record; at the apex there
// is nothing to look for. What is asked is a type that the apex does not have. That
// has to fail with CD=0 like the case's question, so that it is the upstream's
// objection as well, and the text says where it was seen.
func (d *diagnosis) witness(ctx context.Context, withheld dnssec.Finding) (dnssec.Finding, bool) {
	if !withheld.Withheld || withheld.Reached == "" || withheld.Reached == "." {
		return withheld, false
	}
	apex := dns.Question{Name: withheld.Reached, Qtype: anyType, Qclass: dns.ClassINET}
	if m, err := d.Failing.Exchange(ctx, question(apex, false, true)); err != nil || m.Rcode != dns.RcodeServerFailure {
		return withheld, false
	}
	d.step(false, "the upstream withholds that, and fails for %s TYPE%d too: that with CD=1", apex.Name, anyType)
	found := d.follow(ctx, d.Failing, apex)
	d.trace(found)
	if found.Status != dnssec.Bogus || found.Zone != apex.Name {
		return withheld, false
	}
	found.Text = "the answer is withheld; at the apex of its zone: " + found.Text
	return found, true
}

// disagrees validates the chain where the upstream gave a DNSSEC reason of its
// own, and says how the two differ. The upstream's reason stands.
func (d *diagnosis) disagrees(ctx context.Context, said []option.Option) string {
	code, ok := cause.DNSSECCode(said)
	if !ok || len(d.Anchors) == 0 || d.private() {
		return ""
	}
	found := d.validate(ctx, d.Failing)
	here := found.Status.String()
	switch {
	case found.Status == dnssec.Undecided:
		return ""
	case len(found.Codes) > 0 && slices.ContainsFunc(said, func(o option.Option) bool { return o.Code == found.Codes[0] }):
		d.step(true, "the same is found here: %s", found.Text)
		return ""
	case len(found.Codes) > 0:
		here = fmt.Sprintf("%d %s", found.Codes[0], option.Name(found.Codes[0]))
	}
	text := fmt.Sprintf("the upstream says %d %s, found here is %s: %s", code, option.Name(code), here, found.Text)
	d.step(false, "%s", text)
	return text
}
