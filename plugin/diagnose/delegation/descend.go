package delegation

import (
	"context"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/guard"
)

// descend follows referrals from z towards name, asking for the NS records of
// one ancestor after the other, so that each zone learns no more of name than it
// needs (RFC 9156). It ends at the zone that holds name, at one whose servers
// gave no usable reply (broken), or at the one that denies an ancestor of name
// (nxdomain).
func (r *run) descend(z *zone, name string, patient bool) (last *zone, broken, nxdomain bool) {
	total := dns.CountLabel(name)
	known := dns.CountLabel(z.name) // labels of name settled so far
	cuts := 0
	for n := 0; known < total && n < maxMinimised && cuts < maxCuts; n++ {
		labels := nextTarget(known, total, n)
		target := lastLabels(name, labels)
		s, rep, ok := r.first(z, target, dns.TypeNS, patient)
		if !ok {
			return z, true, false
		}
		switch {
		case rep.outcome == Refers:
			z = r.referred(z, rep)
			known = dns.CountLabel(z.name)
			cuts++
		case rep.msg.Rcode == dns.RcodeNameError:
			return z, false, true
		case len(nsNames(rep.msg.Answer, target)) > 0:
			// The server serves parent and child: there is no referral to see.
			z = r.shared(z, s, target, rep.msg)
			known = labels
			cuts++
		default:
			if apex := apexBetween(rep.msg, z.name, target); apex != "" && dns.CountLabel(apex) > known {
				z = r.sharedApex(z, s, apex)
				cuts++
			}
			known = labels
		}
	}
	return z, false, false
}

// nextTarget is how many labels of name to ask for in question number n, given
// those that are settled: one more for the first four, then in equal shares, so
// that the many labels of a reverse name do not take a question each.
func nextTarget(known, total, n int) int {
	const oneByOne = 4
	if n < oneByOne {
		return known + 1
	}
	left := maxMinimised - n
	return min(total, known+(total-known+left-1)/left)
}

func lastLabels(name string, n int) string {
	if n == 0 {
		return "."
	}
	i, start := dns.PrevLabel(name, n)
	if start {
		return name
	}
	return name[i:]
}

// first returns the first usable reply of z's servers, with one try each. One is
// asked, and where it fails or takes its time two more, then four, and so on: that
// is cheap where all is well and fast where it is not. Nobody waits for silent
// servers once another has answered.
//
// The impatient give up once all were asked and none said anything: they ask each
// of the servers again, at length.
func (r *run) first(z *zone, name string, qtype uint16, patient bool) (server, reply, bool) {
	type answer struct {
		server
		reply
	}
	ctx, cancel := context.WithCancel(r.ctx)
	came := make(chan answer, len(z.servers))
	asked, underWay, silent := 0, 0, true
	defer func() {
		cancel()
		for range underWay {
			<-came
		}
	}()
	next := time.NewTimer(0)
	defer next.Stop()
	for wave := 1; asked < len(z.servers) || underWay > 0; {
		select {
		case <-next.C:
			if asked == len(z.servers) && silent && !patient && z.parent != nil {
				return server{}, reply{}, false
			}
			for ; asked < len(z.servers) && asked < wave; asked++ {
				underWay++
				go func(s server) {
					came <- answer{s, guard.Value(guard.Diagnosing, func() reply { return r.ask(ctx, s, z.name, name, qtype, 1) })}
				}(z.servers[asked])
			}
			wave = 2*wave + 1
			next.Reset(retryAfter)
		case got := <-came:
			underWay--
			if got.msg != nil && got.outcome.usable() {
				return got.server, got.reply, true
			}
			silent = silent && !got.came()
			if underWay == 0 {
				next.Reset(0)
			}
		}
	}
	return server{}, reply{}, false
}

// referred is the zone that rep, from a server of parent, refers to.
func (r *run) referred(parent *zone, rep reply) *zone {
	z := &zone{
		name:   rep.cut,
		parent: parent,
		ns:     nsNames(rep.msg.Ns, rep.cut),
		signed: hasDS(rep.msg.Ns, rep.cut),
	}
	r.gather(z, z.ns, rep.msg.Extra)
	return z
}

// shared is the zone whose own NS records came in m, out of s, a server of its
// parent.
func (r *run) shared(parent *zone, s server, name string, m *dns.Msg) *zone {
	z := &zone{name: name, parent: parent, ns: nsNames(m.Answer, name), helper: &s}
	if ds := r.ask(r.ctx, s, parent.name, name, dns.TypeDS, maxTries); ds.msg != nil {
		z.signed = hasDS(ds.msg.Answer, name)
	}
	r.gather(z, z.ns, m.Extra)
	return z
}

// sharedApex is shared for a zone whose apex was jumped over. If its NS records
// cannot be had, parent stays the zone in hand.
func (r *run) sharedApex(parent *zone, s server, apex string) *zone {
	rep := r.ask(r.ctx, s, parent.name, apex, dns.TypeNS, maxTries)
	if rep.msg == nil || len(nsNames(rep.msg.Answer, apex)) == 0 {
		return parent
	}
	return r.shared(parent, s, apex, rep.msg)
}

// apexBetween returns the owner of m's SOA if it is a zone strictly between
// parent and target, target included.
func apexBetween(m *dns.Msg, parent, target string) string {
	soa := soaOf(m.Ns)
	if soa == nil {
		return ""
	}
	apex := dns.CanonicalName(soa.Hdr.Name)
	if apex == parent || !dns.IsSubDomain(parent, apex) || !dns.IsSubDomain(apex, target) {
		return ""
	}
	return apex
}
