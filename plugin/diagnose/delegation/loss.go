package delegation

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/guard"
)

// cleanReplies is how many questions in a row have to be answered before silence
// counts, and silentTries how many a server that says nothing has to leave unanswered: three
// tries of one (RFC 9520 section 3.1), and others. Six that are lost and sixteen that are
// not come together by chance once in four hundred thousand times, at any rate of loss. Where
// more than two say nothing, each is asked less often.
const (
	cleanReplies = 16
	silentTries  = 6
	// furtherWait is how long the further ones are waited for, so that the finding is
	// there within the two seconds for which an answer may be held.
	furtherWait = retryAfter
)

// onSilence tells a finding that rests on questions without a reply to one that
// rests on what was said.
func onSilence(k Kind, servers []ServerResult) bool {
	switch k {
	case Undecided, Healthy, NoAddress, SerialMismatch:
		return false
	}
	for _, s := range servers {
		if unheard(s) {
			return true
		}
	}
	return false
}

// unheard tells a server of which a question got no reply, or only the one without
// EDNS did, or only a truncated one came. A closed port is a reply of a kind.
func unheard(s ServerResult) bool {
	return s.Outcome == Timeout || s.DNSKEY == Timeout || s.Outcome == AnswersBare || s.cut()
}

// clean reports whether what was not answered is no loss on the way: other questions over
// the same paths are all answered, and further ones where there was silence are not. The
// two are asked at the same time. The servers were asked for name and qtype.
func (r *run) clean(z *zone, results []ServerResult, name string, qtype uint16) bool {
	if r.lostBefore(results) {
		return false
	}
	stay := make(chan bool, 1)
	go func() {
		stay <- guard.Value(guard.Diagnosing, func() bool { return r.staySilent(z, results, name, qtype) })
	}()
	othersAnswered := r.othersAnswered(z, results)
	return <-stay && othersAnswered
}

// othersAnswered reports whether the paths of the silent servers lose nothing: of
// cleanReplies single questions to servers above z each has to be answered.
func (r *run) othersAnswered(z *zone, results []ServerResult) bool {
	for _, s := range results {
		if s.bare() && (s.SOA == Answers || !r.dropsEDNS(s, z)) {
			return false
		}
		// One that answers other questions has to answer all others.
		if s.partial() && !r.answersOften([]server{{s.Name, s.Addr}}, []string{z.name}, z, cleanReplies/2) {
			return false
		}
	}
	for p := range silentPaths(results) {
		servers, zones := above(z, p)
		if len(servers) == 0 || !r.answersOften(servers, zones, z, cleanReplies) {
			return false
		}
	}
	return true
}

// further is one more question to a server.
type further struct {
	server
	q *dns.Msg
}

// staySilent asks further questions where there was silence, and reports whether all stay
// without a reply. A server that has said nothing is asked something else; one that is silent
// to one question is asked that with less room for the answer, or without EDNS: what is lost
// for its size on the way is then answered.
func (r *run) staySilent(z *zone, results []ServerResult, name string, qtype uint16) bool {
	silent := slices.DeleteFunc(slices.Clone(results), func(s ServerResult) bool { return s.Outcome != Timeout && s.DNSKEY != Timeout })
	var asked []further
	for _, s := range silent {
		// All at once: there is time for one wait.
		more := min(silentTries-maxTries, maxParallel/len(silent))
		if s.Outcome == Timeout && !s.partial() {
			more = r.grant(s.Addr, maxTries+more)
		}
		for i := range more {
			f := further{server{s.Name, s.Addr}, question(fmt.Sprintf("_ede-%d.%s", i, z.name), dns.TypeA, i%2 == 0)}
			switch {
			case s.partial():
				f.q = smaller(name, qtype, i)
			case s.Outcome != Timeout:
				f.q = smaller(z.name, dns.TypeDNSKEY, i)
			}
			asked = append(asked, f)
		}
	}
	if len(asked) == 0 {
		return true
	}
	ctx, cancel := context.WithTimeout(r.ctx, furtherWait)
	defer cancel()
	var other atomic.Int64
	each(len(asked), func(i int) {
		rep := r.once(ctx, asked[i].server, z.name, asked[i].q)
		if waited := rep.outcome == Unasked && rep.rtt > 0 && r.ctx.Err() == nil; rep.outcome != Timeout && !waited {
			other.Add(1)
		}
	})
	r.step(other.Load() == 0, z.name, "%d more questions where there was silence: %d were answered or could not be sent", len(asked), other.Load())
	return other.Load() == 0
}

// smaller is a question with room for 512 octets, or without EDNS for each second one.
func smaller(name string, qtype uint16, i int) *dns.Msg {
	q := question(name, qtype, i%2 == 0)
	if opt := q.IsEdns0(); opt != nil {
		opt.SetUDPSize(dns.MinMsgSize)
	}
	return q
}

// bareTries is how many more questions with EDNS a server has to leave without an answer
// before it is said to answer only without EDNS.
const bareTries = 6

// dropsEDNS asks s other questions with EDNS, and reports whether it answered none: a
// FORMERR is no answer.
func (r *run) dropsEDNS(s ServerResult, z *zone) bool {
	var heard atomic.Int64
	each(bareTries, func(i int) {
		rep := r.once(r.ctx, server{s.Name, s.Addr}, z.name, question(fmt.Sprintf("_ede-%d.%s", i, z.name), dns.TypeA, true))
		if rep.outcome.usable() || rep.outcome == Cut || rep.outcome == Unasked {
			heard.Add(1)
		}
	})
	r.step(heard.Load() == 0, z.name, "%d more questions with EDNS to %s: %d were answered or could not be sent", bareTries, short(s.Name), heard.Load())
	return heard.Load() == 0
}

// answersOften asks the servers n different questions, once each, and reports
// whether all were answered.
func (r *run) answersOften(servers []server, zones []string, z *zone, n int) bool {
	var lost atomic.Int64
	each(n, func(i int) {
		at := i % len(servers)
		if lost.Load() == 0 && !r.once(r.ctx, servers[at], zones[at], question(fmt.Sprintf("_ede-%d.%s", i, z.name), dns.TypeA, true)).came() {
			lost.Add(1)
		}
	})
	r.step(lost.Load() == 0, z.name, "%d control questions over the same path: %d got no reply", n, lost.Load())
	return lost.Load() == 0
}

// lostBefore reports whether a server that answers, and is none of results, left a
// question unanswered on the way.
func (r *run) lostBefore(results []ServerResult) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for a, n := range r.lost {
		of := func(s ServerResult) bool { return s.Addr == a }
		if n > 0 && r.heard[a] && !slices.ContainsFunc(results, of) {
			return true
		}
	}
	return false
}

func silentPaths(results []ServerResult) map[path]bool {
	paths := make(map[path]bool)
	for _, s := range results {
		if s.Addr.IsValid() && unheard(s) {
			paths[pathOf(s.Addr.Addr())] = true
		}
	}
	return paths
}
