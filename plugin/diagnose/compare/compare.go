// Package compare tells a broken resolver from a broken zone by asking others
// the same question, and an upstream that refuses this server from one that
// does not recurse at all.
//
// Only what was said counts: a resolver that timed out or could not be reached
// has no vote, and neither has one that refused, as that tells of its policy
// and not of the zone.
package compare

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/guard"
)

// Limits of one comparison.
const (
	maxOthers   = 8
	maxParallel = 4
	maxText     = 180  // octets of Text
	maxFullText = 1000 // octets of FullText
)

// Ask puts a question to a resolver, recursion desired. The caller owns
// transport, EDNS and timeouts.
type Ask func(ctx context.Context, q dns.Question) (*dns.Msg, error)

// Resolver is one that can be asked.
type Resolver struct {
	Name string // as it may be shown in FullText, an address or URL
	Ask  Ask
	// Checked asks with DO and AD set and CD clear: some validate only then.
	Checked Ask
	// SameForward is true if the resolver is an upstream of the forward plugin
	// that the failing one belongs to, so that forward itself could turn to it.
	SameForward bool
}

// Verdict is what a comparison shows.
type Verdict uint8

const (
	Undecided       Verdict = iota // nothing is claimed
	UpstreamAtFault                // another resolver answers the question
	ZoneAtFault                    // all others that voted fail too
	Differ                         // another upstream of its forward says that the name does not exist
)

var verdictNames = [...]string{"undecided", "upstream_at_fault", "zone_at_fault", "differ"}

// String returns a stable name, fit for a metric label.
func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return "unknown"
}

// Result is what Compare found.
type Result struct {
	Verdict Verdict
	Failing Vote   // of the failing resolver, asked again with the others
	Others  []Vote // in the order given, at most 8
	// Validated is true if a resolver that answers set AD. One that does not
	// validate answers names that DNSSEC makes fail: see Witnessed.
	Validated bool
	// Denied is true if all that answer say that the name does not exist.
	Denied   bool
	Text     string // one line of at most 180 octets, without names of resolvers
	FullText string // one line of at most 1000 octets
	Advice   string // what to change, empty if nothing is known to help
	Queries  int
}

// Compare asks failing once more and each of others, at most four at a time and
// eight in all, and holds the answers against each other. If failing answers
// now, its failure was transient and nothing is claimed.
//
// A REFUSED by failing says nothing of the zone: then the verdict is
// UpstreamAtFault or Undecided.
func Compare(ctx context.Context, q dns.Question, failing Resolver, others []Resolver) Result {
	left := max(0, len(others)-maxOthers)
	others = others[:len(others)-left]
	votes := make([]Vote, 1+len(others))
	slots := make(chan struct{}, maxParallel)
	var wg sync.WaitGroup
	for i := range votes {
		r := failing
		if i > 0 {
			r = others[i-1]
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			votes[i].Name = r.Name
			defer guard.Catch(guard.Diagnosing, nil)
			votes[i] = vote(ctx, q, r)
		})
	}
	wg.Wait()

	res := Result{Failing: votes[0], Others: votes[1:], Queries: len(votes)}
	res.decide(others)
	res.describe(left)
	return res
}

// decide sets the verdict, and the advice where forward has a working upstream.
func (res *Result) decide(others []Resolver) {
	if res.Failing.Kind == Answers {
		return
	}
	fails, answers, denials, here, sameForward := 0, 0, 0, false, false
	for i, v := range res.Others {
		switch v.Kind {
		case Answers:
			answers++
			if v.Rcode == dns.RcodeNameError {
				denials++
				sameForward = sameForward || others[i].SameForward
			} else {
				here = here || others[i].SameForward
			}
			res.Validated = res.Validated || v.Validated
		case Fails:
			fails++
		}
	}
	switch {
	case denials > 0 && denials == answers && res.Failing.Kind != Silent:
		// NXDOMAIN is no better answer: the name may exist where this one looks.
		res.Denied = true
		if sameForward {
			res.Verdict = Differ
		}
	case answers > 0 && res.Failing.Kind != Silent:
		res.Verdict = UpstreamAtFault
		// A refusal may be a policy, which forward should not be led around.
		if here && res.Failing.Kind == Fails {
			res.Advice = fmt.Sprintf("Add failover %s to the forward block: another upstream in it answers this question.", res.Failing.rcode())
		}
	case answers == 0 && fails > 0 && res.Failing.Kind == Fails:
		res.Verdict = ZoneAtFault
	}
}

func (res *Result) describe(left int) {
	n := len(res.Others)
	var counts [len(kindNames)]int
	full := make([]string, 0, n)
	for _, v := range res.Others {
		counts[v.Kind]++
		full = append(full, v.Name+": "+v.what())
	}
	var brief string
	switch {
	case res.Failing.Kind == Answers:
		brief = "the upstream answers when asked again"
	case res.Verdict == UpstreamAtFault:
		brief = fmt.Sprintf("%d of %d other resolvers answer where this upstream gives %s", counts[Answers], n, res.Failing.what())
	case res.Denied:
		brief = fmt.Sprintf("this upstream gives %s, %d of %d others say that the name does not exist (NXDOMAIN)", res.Failing.what(), counts[Answers], n)
	case res.Verdict == ZoneAtFault:
		brief = fmt.Sprintf("%d of %d other resolvers fail too, none answers", counts[Fails], n)
	case n == 0:
		brief = "no other resolver to ask"
	default:
		brief = fmt.Sprintf("no verdict from %d other resolvers: %d answer, %d fail, %d refuse, %d give nothing usable",
			n, counts[Answers], counts[Fails], counts[Refuses], counts[Silent])
	}
	res.Text = brief
	if left > 0 {
		full = append(full, fmt.Sprintf("%d more not asked", left))
	}
	res.FullText = shorten(fmt.Sprintf("%s (%s: %s; %s)", brief, res.Failing.Name, res.Failing.what(), strings.Join(full, ", ")))
}

// shorten keeps FullText within its limit, cut at a rune.
func shorten(text string) string {
	if len(text) <= maxFullText {
		return text
	}
	return strings.ToValidUTF8(text[:maxFullText-3], "") + "..."
}
