package delegation

import (
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/guard"
)

// probe looks for the zone from the root down. Where the root does not lead
// there, because it is out of reach or because the name is private, it starts
// anew at an ancestor that the resolver knows.
func (r *run) probe(name string, qtype uint16) Finding {
	// A DS lives in the parent of its owner's zone (RFC 4035 section 3.1.4.1).
	way := name
	if qtype == dns.TypeDS && name != "." {
		way = lastLabels(name, dns.CountLabel(name)-1)
	}
	f, led := r.from(r.zones["."], way, name, qtype)
	if led || r.p.Resolve == nil {
		return f
	}
	starts := 0
	for n := dns.CountLabel(way) - 1; n > 0 && starts < maxStarts; n-- {
		z := r.ancestor(lastLabels(way, n))
		if z == nil {
			continue
		}
		starts++
		if g, led := r.from(z, way, name, qtype); led {
			return g
		}
	}
	return f
}

// ancestor is the zone name with the servers that the resolver gives for it, nil
// if it gives none.
func (r *run) ancestor(name string) *zone {
	m, err := r.resolve(name, dns.TypeNS)
	if err != nil || failed(m.Rcode) {
		return nil
	}
	z := &zone{name: name, ns: nsNames(m.Answer, name)}
	if len(z.ns) == 0 {
		return nil
	}
	r.gather(z, z.ns, m.Extra)
	return z
}

// from descends from start and judges the zone that it ends at. It reports
// whether it got there by a referral; without one nothing can be held against
// the zone, and nobody said that it is the right one.
func (r *run) from(start *zone, way, name string, qtype uint16) (f Finding, led bool) {
	z := start
	for range maxCuts {
		last, broken, nxdomain := r.descend(z, way, false)
		z = last
		r.keep(z)
		if z.parent == nil {
			return r.undecided(z.name, whyNotLed(z, broken, nxdomain)), false
		}
		results := r.inspectAll(z, z.servers, name, qtype)
		deeper := r.deeper(z, results)
		if deeper == nil {
			return r.judge(z, results, name, qtype), true
		}
		z = deeper
	}
	return r.undecided(z.name, "too many zone cuts"), true
}

func whyNotLed(z *zone, broken, nxdomain bool) string {
	switch {
	case broken:
		return "no server of " + short(z.name) + " could be reached, and nothing tells whether our network is at fault"
	case nxdomain:
		return short(z.name) + " knows no such name: it may be private"
	}
	return "no referral from a parent was seen"
}

// inspection is a ServerResult with the reply it was drawn from.
type inspection struct {
	ServerResult
	s     server
	reply reply
}

func (r *run) inspectAll(z *zone, servers []server, name string, qtype uint16) []inspection {
	out := make([]inspection, len(servers))
	each(len(servers), func(i int) {
		out[i] = r.inspect(z, servers[i], name, qtype)
	})
	return out
}

// inspect asks one server for what the client asked, for the zone's SOA, and in
// a signed zone for its DNSKEY. Of the tries that a silent server gets, the last
// is the SOA's: that tells a dead server from one that drops the question.
func (r *run) inspect(z *zone, s server, name string, qtype uint16) inspection {
	asked := func(t uint16) bool { return t == qtype && name == z.name }
	tries := max(1, min(maxTries, r.left(s.addr)-1))
	var rep, soa reply
	var wait sync.WaitGroup
	replied := make(chan struct{})
	wait.Go(func() {
		defer close(replied)
		rep = guard.Value(guard.Diagnosing, func() reply { return r.ask(r.ctx, s, z.name, name, qtype, tries) })
	})
	// One that is silent to the question is asked for the SOA as well.
	select {
	case <-replied:
	case <-time.After(time.Duration(tries) * retryAfter):
	}
	if !asked(dns.TypeSOA) {
		wait.Go(func() {
			soa = guard.Value(guard.Diagnosing, func() reply { return r.ask(r.ctx, s, z.name, z.name, dns.TypeSOA, maxTries) })
		})
	}
	var keys reply
	askKeys := func() {
		defer guard.Catch(guard.Diagnosing, nil)
		keys = r.ask(r.ctx, s, z.name, z.name, dns.TypeDNSKEY, maxTries)
	}
	known := r.left(s.addr) > maxTries
	if z.signed && !asked(dns.TypeDNSKEY) && known {
		wait.Go(askKeys)
	}
	wait.Wait()
	switch {
	case asked(dns.TypeSOA):
		soa = rep
	case rep.outcome == Timeout && soa.msg != nil && tries < maxTries:
		if again := r.once(r.ctx, s, z.name, question(name, qtype, false)); again.outcome != Unasked {
			rep = again
		}
	}
	switch {
	case !z.signed:
	case asked(dns.TypeDNSKEY):
		keys = rep
	case !known:
		askKeys()
	}
	in := inspection{
		ServerResult: ServerResult{Name: s.name, Addr: s.addr, Outcome: rep.outcome, SOA: soa.outcome, DNSKEY: keys.outcome, RTT: rep.rtt, Rejects: rep.rejected || keys.rejected},
		s:            s,
		reply:        rep,
	}
	if rep.msg != nil {
		in.Rcode = rep.msg.Rcode
	}
	if soa.outcome.usable() {
		if rr := soaOf(soa.msg.Answer); rr != nil && dns.CanonicalName(rr.Hdr.Name) == z.name {
			in.Serial, in.HasSerial = rr.Serial, true
		}
	}
	return in
}

// deeper is the zone that servers of z refer to though the descent saw no cut
// there: some servers answer NS questions at a cut wrongly.
func (r *run) deeper(z *zone, results []inspection) *zone {
	var to *zone
	for _, in := range results {
		switch {
		case in.Outcome == Answers || in.Outcome == AnswersBare:
			return nil
		case in.Outcome == Refers && to == nil:
			to = r.referred(z, in.reply)
		}
	}
	return to
}

// childSide asks a usable server for the zone's own NS records, says in f how
// they differ from the parent's, and inspects the servers that the parent does
// not name: resolvers that have seen the zone's own list ask them too.
func (r *run) childSide(z *zone, f *Finding, results []inspection, name string, qtype uint16) []inspection {
	i := slices.IndexFunc(results, func(in inspection) bool { return in.Outcome.usable() })
	if i < 0 || z.helper != nil {
		return results
	}
	s := results[i].s
	rep := r.ask(r.ctx, s, z.name, z.name, dns.TypeNS, maxTries)
	if !rep.outcome.usable() || rep.msg == nil {
		return results
	}
	child := nsNames(rep.msg.Answer, z.name)
	// A list that was cut short cannot be compared.
	if len(child) == 0 || len(child) == maxNames || len(z.ns) == maxNames {
		return results
	}
	f.ParentOnly = without(z.ns, child)
	f.ChildOnly = without(child, z.ns)
	if len(f.ChildOnly) == 0 {
		return results
	}
	extra := &zone{name: z.name, parent: z.parent, helper: &s}
	r.gather(extra, f.ChildOnly, rep.msg.Extra)
	more := r.inspectAll(z, extra.servers, name, qtype)
	for _, m := range extra.missing {
		more = append(more, inspection{ServerResult: m})
	}
	for i := range more {
		more[i].ChildOnly = true
	}
	return append(results, more...)
}

func without(a, b []string) []string {
	var out []string
	for _, s := range a {
		if !slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return out
}
