package diagnose

import (
	"context"
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/delegation"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
)

// follows begins to follow the chain by what the failing upstream gives with CD=1,
// once; wait returns what that found.
func (d *diagnosis) follows(ctx context.Context) {
	if d.chain != nil || d.found != nil {
		return
	}
	came := make(chan dnssec.Finding, 1)
	d.chain = came
	go func() {
		came <- part(d, func() dnssec.Finding { return d.follow(ctx, d.Failing, d.Question) })
	}()
}

// wait returns what the chain came to. Until then given is the validation's.
func (d *diagnosis) wait(ctx context.Context) *dnssec.Finding {
	if d.found == nil {
		d.follows(ctx)
		found := <-d.chain
		d.trace(found)
		d.found = &found
	}
	return d.found
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
			m, err := d.insist(ctx, r, question(q, true, true))
			if err == nil && answered(m) {
				given[q] = m
			}
			return m, err
		},
		Now: d.Now, Anchors: d.Anchors, NegativeAnchors: slices.Concat(d.Engine.Private, d.Case.Private),
		Ed448: d.Ed448, MaxQueries: MaxQueries,
	}
	found := v.Validate(ctx, of)
	if r.Name == ownServers {
		// What the zone's own servers leave unsigned is the zone's.
		found.Bare = false
	}
	return found
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
	counted := func(ask delegation.Direct) delegation.Direct {
		if ask == nil {
			return nil
		}
		return func(ctx context.Context, server netip.AddrPort, q *dns.Msg) (*dns.Msg, error) {
			if !d.spend() {
				return nil, dnssec.ErrBudget
			}
			return ask(ctx, server, q)
		}
	}
	p.Direct, p.TCP = counted(p.Direct), counted(p.TCP)
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
	switch {
	case found.FromHere:
		v.Owner, v.Advice = cause.Nobody, adviceFromHere
	case found.OfQuestion:
		v.Advice = adviceOfQuestion
	}
	return d.explained(v, found.Zone, !found.OfQuestion), true
}

const adviceOfQuestion = "Tell the zone's owner: its name servers have the zone, and fail this question alone."

const adviceFromHere = "Ask the zone's name servers from another network. If they answer there, look for a filter between here and them; if they do not, tell the zone's owner."

// ownServers stands for the name servers of the zones on the way.
const ownServers = "the zones' own servers"

// servers are the name servers of the zones on the way.
func (d *diagnosis) servers(ctx context.Context) Resolver {
	if d.probing != nil {
		<-d.probing.ended
	}
	if d.source == nil {
		d.source = d.prober(ctx).Source(ctx)
	}
	return Resolver{Name: ownServers, Exchange: func(_ context.Context, m *dns.Msg) (*dns.Msg, error) {
		return d.source.Ask(m.Question[0])
	}}
}
