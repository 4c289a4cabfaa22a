package explain

import (
	"slices"
	"time"

	"github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/plugin/pkg/dnsutil"
	"github.com/coredns/coredns/plugin/pkg/response"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/guard"
	"github.com/seed-1b7246af/coredns-ede/plugin/observe"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
	"github.com/seed-1b7246af/coredns-ede/plugin/record"
	"github.com/seed-1b7246af/coredns-ede/plugin/remarks"
)

// Answers keeps what upstreams say of answers that did not fail, which cache drops with
// the OPT record (RFC 6891 section 6.2.1), and attaches it again. It is an
// observe.Answers.
type Answers struct{ explainer *Explainer }

// KeepAnswers makes x keep what upstreams say of answers that did not fail.
func (x *Explainer) KeepAnswers() { x.Ladder.Answers = Answers{x} }

// remarkOn is what is said of m, the answer to q. cache may hold several answers to one
// question: a denial, one with the records asked for, and one without.
func remarkOn(block uint64, q observe.Cached, m *dns.Msg, now time.Time) remarks.Question {
	kind, _ := response.Typify(m, now)
	asked := func(rr dns.RR) bool { return rr.Header().Rrtype == q.Question.Qtype }
	return remarks.Question{
		Block: block, Name: q.Question.Name, Qtype: q.Question.Qtype, Qclass: q.Question.Qclass, DO: q.DO, CD: q.CD,
		Rcode: m.Rcode, Kind: kind, Answering: slices.ContainsFunc(m.Answer, asked),
	}
}

// Given remembers the EDEs of m for as long as cache may give m.
func (a Answers) Given(q observe.Cached, m *dns.Msg) {
	defer guard.Catch(guard.Explaining, nil)
	x, now := a.explainer, time.Now()
	said := option.Read(m)
	if len(said) == 0 && x.Remarks.Quiet() {
		return
	}
	k := remarkOn(x.Block.ID, q, m, now)
	if len(said) == 0 {
		x.Remarks.Forget(k)
		return
	}
	x.Remarks.Put(k, remarks.Said{Options: said, By: x.Ladder.OnlyUpstream(), At: now}, x.lifeOf(m, now))
}

// lifeOf is how long cache gives m at most, as it computes it (plugin/cache/cache.go,
// WriteMsg); where its limits are not known, as long as its defaults allow.
func (x *Explainer) lifeOf(m *dns.Msg, now time.Time) time.Duration {
	times, known := x.Ladder.CacheTimes()
	if !known {
		return dnsutil.MaximumDefaultTTL
	}
	shortest, longest := times.MinPositive, times.MaxPositive
	kind, _ := response.Typify(m, now)
	if m.Rcode == dns.RcodeNameError || len(m.Answer) == 0 {
		shortest, longest = times.MinNegative, times.MaxNegative
	}
	return min(max(dnsutil.MinimalTTLWithMaximum(m, kind, longest), shortest), longest) + times.Stale
}

// Passed counts the EDEs that are known for the answer m, and attaches them if the query shows
// interest.
func (a Answers) Passed(run *observe.Run, q observe.Cached, m *dns.Msg, fresh bool) (out *dns.Msg) {
	out = m
	defer guard.Catch(guard.Explaining, func() { out = m })
	x := a.explainer
	var said remarks.Said
	if !x.Remarks.Quiet() {
		said, _ = x.Remarks.Get(remarkOn(x.Block.ID, q, m, time.Now()))
	}
	var stale uint16
	if !fresh {
		stale = x.stale(m)
	}
	if run.Nested() || len(said.Options) == 0 && stale == 0 {
		return m
	}
	server := metrics.WithServer(run.Context)
	codes := codesOf(said.Options, stale)
	record.Remarked(server, codes)
	x.Filtered.Add(q.Question.Name, said.Options)
	if x.Block.LogAnswers {
		x.Log.Answer(record.Answer{
			Question: q.Question, Codes: codes, Server: server, Client: ClientOf(run.ResponseWriter), Pod: x.Client.Pod(run.Context),
			Text: cause.RemarkText(said.Options, said.By, stale),
		})
	}
	if x.Block.Shadow || !run.Request.HasOPT() || !run.Request.Interested() || len(option.Read(m)) > 0 {
		return m
	}
	client := ClientOf(run.ResponseWriter).Addr()
	opts := cause.Remarks(said.Options, said.By, stale, x.Block.WordsFor(client), x.Block.KeepUpstream)
	opts = option.Rule{}.Suit(opts, m.Rcode, run.Request)
	if len(opts) == 0 {
		return m
	}
	out = option.Attach(m, run.Request, roomFor(run), opts)
	record.CountOptions(server, sentOptions(out, opts))
	return out
}

// unfragmented is the largest datagram in octets that passes any path whole (RFC 9715,
// Appendix A). An answer beyond that gets no remark: its client may get no fragments.
const unfragmented = 1232

// roomFor is how large an answer may become that a remark is attached to. tsig, above
// here, signs it afterwards.
func roomFor(run *observe.Run) int {
	limit := limitOf(run.ResponseWriter, nil, run.Request)
	if limit < dns.MaxMsgSize {
		limit = min(limit, unfragmented)
	}
	if run.Request.Signed() {
		limit -= option.TSIGRoom
	}
	return limit
}

// stale is the INFO-CODE of an answer from cache that is given beyond its TTL, or 0:
// one that is not has a TTL left, unless keepttl hides it.
func (x *Explainer) stale(m *dns.Msg) uint16 {
	if times, known := x.Ladder.CacheTimes(); !known || times.Stale == 0 {
		return 0
	}
	records := 0
	for _, section := range [][]dns.RR{m.Answer, m.Ns} {
		for _, rr := range section {
			if rr.Header().Ttl != 0 {
				return 0
			}
			records++
		}
	}
	switch {
	case records == 0:
		return 0
	case m.Rcode == dns.RcodeNameError:
		return dns.ExtendedErrorCodeStaleNXDOMAINAnswer
	}
	return dns.ExtendedErrorCodeStaleAnswer
}

func codesOf(said []option.Option, stale uint16) []uint16 {
	var codes []uint16
	for _, o := range said {
		codes = append(codes, o.Code)
	}
	if stale != 0 {
		codes = append(codes, stale)
	}
	return codes
}
