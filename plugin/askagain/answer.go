package askagain

import (
	"context"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// udpSize is what the query offers (DNS flag day 2020).
const udpSize = 1232

// Result is what came of asking again, the metric label result.
type Result string

const (
	// Reason: the upstream failed the same way and said why.
	Reason Result = "reason"
	// NoReason: it failed the same way and did not say why.
	NoReason Result = "no_reason"
	// Resolves: it answers the question now.
	Resolves Result = "resolves"
	// Differs: it fails in another way, whose reason is not that of the first failure.
	Differs Result = "differs"
	// NoEDNS: it does not understand an OPT record, or does not answer with one.
	NoEDNS Result = "no_edns"
	// NoReply: it did not answer.
	NoReply Result = "no_reply"
	// Full: the forward had as many queries under way as it may have; it was not asked.
	Full Result = "max_concurrent"
)

// Skip is why a failure was not asked again, the metric label reason.
type Skip string

const (
	// Asked is no skip: it waits for its turn.
	Asked Skip = ""
	// Waiting: the question waits already.
	Waiting Skip = "waiting"
	// OverRate: the queue of waiting questions is full.
	OverRate Skip = "rate"
	// Resting: the upstream is left alone, since it gave no reason a moment ago.
	Resting Skip = "resting"
	// Closing: the server stops or reloads.
	Closing Skip = "stopping"
	// NoUpstream: it is not known which upstream failed, or it cannot be asked.
	NoUpstream Skip = "no_upstream"
)

// ask puts f to its upstream.
func (a *Asker) ask(f Failure) Answer {
	ctx, cancel := context.WithTimeout(a.ctx, longest)
	defer cancel()
	answer := Answer{Failure: f, At: time.Now()}
	reply, err := f.Exchange(ctx, f.query())
	answer.Took = time.Since(answer.At)
	if answer.Result = resultOf(f, reply, err); answer.Result == Reason {
		answer.Said = option.Read(reply)
	}
	switch answer.Result {
	case NoEDNS:
		a.rest(f.Upstream, restWithoutEDNS)
	case NoReply:
		a.rest(f.Upstream, restOfSilence)
	}
	return answer
}

// query is the question as the upstream was asked, with what makes room for a reason:
// an OPT record, and AD, which shows interest in one (see option.Request.Interested).
func (f *Failure) query() *dns.Msg {
	m := new(dns.Msg)
	m.Id = dns.Id()
	m.RecursionDesired, m.CheckingDisabled, m.AuthenticatedData = f.RecursionDesired, f.CheckingDisabled, true
	m.Question = []dns.Question{f.Question}
	m.SetEdns0(udpSize, false)
	return m
}

func resultOf(f Failure, reply *dns.Msg, err error) Result {
	switch {
	case err != nil:
		return NoReply
	case reply.Rcode == dns.RcodeSuccess, reply.Rcode == dns.RcodeNameError:
		return Resolves
	case reply.IsEdns0() == nil, reply.Rcode == dns.RcodeFormatError, reply.Rcode == dns.RcodeNotImplemented, reply.Rcode == dns.RcodeBadVers:
		return NoEDNS
	case reply.Rcode != f.Of.Rcode:
		return Differs
	}
	if _, ok := cause.Heard(f.Verdict, option.Read(reply), f.Upstream, time.Time{}); !ok {
		return NoReason
	}
	return Reason
}
