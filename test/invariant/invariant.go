// Package invariant holds evidence of a failure against what plugin/evidence says of
// its fields, so that every test that gathers some holds it too.
package invariant

import (
	"slices"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// A rule is one sentence of the comment on evidence.Evidence.
type rule struct {
	says  string
	holds func(e *evidence.Evidence) bool
}

// implies is true unless a is and b is not.
func implies(a, b bool) bool { return !a || b }

var rules = []rule{
	{"Rcode is SERVFAIL or REFUSED", func(e *evidence.Evidence) bool {
		return e.Rcode == dns.RcodeServerFailure || e.Rcode == dns.RcodeRefused
	}},
	{"what panicked has Panic and PanicAt, and nothing else has", func(e *evidence.Evidence) bool {
		panicked := e.Shape == evidence.Panicked
		return (e.Panic != "") == panicked && implies(e.PanicAt != "", panicked)
	}},
	{"what was written, with rcode 0, has a Reply", func(e *evidence.Evidence) bool {
		return implies(e.Shape == evidence.Written || e.Shape == evidence.WrittenError, e.Reply.Written)
	}},
	{"an error after a message is a Failure", func(e *evidence.Evidence) bool {
		return implies(e.Shape == evidence.WrittenError, e.Failure.Kind != evidence.NoError)
	}},
	{"At is in Path, unless ede ended the chain itself or it is not known who failed", func(e *evidence.Evidence) bool {
		return e.At == "" || e.At == "ede" || slices.Contains(e.Path, e.At)
	}},
	{"no Reply has facts unless it was written", func(e *evidence.Evidence) bool {
		return e.Reply.Written || e.Reply == evidence.Reply{}
	}},
	{"what an upstream answered is a Reply, and no Failure", func(e *evidence.Evidence) bool {
		return implies(e.UpstreamAnswered, e.Reply.Written && e.Failure.Kind == evidence.NoError)
	}},
	{"a hit of the cache is written, by cache, which was asked a question", func(e *evidence.Evidence) bool {
		return implies(e.CacheHit, e.At == "cache" && e.Reply.Written && e.CacheQuestion.Name != "" && e.Upstream == "")
	}},
	{"a changed rcode was another one, and is the client's now", func(e *evidence.Evidence) bool {
		return e.Changed == evidence.Changed{} || e.Changed.Plugin != "" && e.Changed.From != e.Changed.To && e.Changed.To == e.Rcode
	}},
	{"what failed earlier has an rcode of failure or an error", func(e *evidence.Evidence) bool {
		return e.Earlier.At != "" || e.Earlier.Rcode == 0 && e.Earlier.Failure.Kind == evidence.NoError
	}},
	{"an upstream that was not tried is not named, but by the error", func(e *evidence.Evidence) bool {
		return implies(e.Untried, e.Upstream == e.Failure.Peer && !e.UpstreamAnswered)
	}},
	{"evidence inside is none of the cache's own", func(e *evidence.Evidence) bool {
		return e.Nested == nil || !e.Nested.Background
	}},
}

// Broken are the rules that e breaks, or the evidence inside it.
func Broken(e *evidence.Evidence) (says []string) {
	for ; e != nil; e = e.Nested {
		for _, r := range rules {
			if !r.holds(e) {
				says = append(says, r.says)
			}
		}
	}
	return says
}

// Hold fails the test for each rule that e breaks.
func Hold(t testing.TB, e *evidence.Evidence) {
	t.Helper()
	for _, says := range Broken(e) {
		t.Errorf("not so: %s: %+v", says, *e)
	}
}
