// Package diagnose finds out why a name fails where the evidence of the query
// does not tell: it asks the upstream again with EDNS and with CD=1, validates
// the DNSSEC chain itself, asks the other upstreams, and the zone's own name
// servers. The engine is pure over exchange functions and a clock; the Runner
// keeps it within a budget and off the clients' path.
package diagnose

import (
	"context"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// Exchange puts a message to one resolver and returns its reply. It owns
// transport and timeouts and leaves the message unchanged.
type Exchange func(ctx context.Context, m *dns.Msg) (*dns.Msg, error)

// Resolver is one that can be asked.
type Resolver struct {
	// Name is its address as it may be shown in full texts.
	Name     string
	Exchange Exchange
}

// Case is a failure to be diagnosed.
type Case struct {
	// Scope is where the finding holds.
	Scope evidence.Scope
	// Question as the upstream was asked.
	Question dns.Question
	// DNSSECOK is the DO bit of the client's query.
	DNSSECOK bool
	// TimedOut is true if the upstream did not answer in time, as opposed to
	// having answered with the failure.
	TimedOut bool
	// Failing is the upstream that failed, Others those configured beside it.
	Failing Resolver
	Others  []Resolver
	// Private are the zones that the public tree does not judge, as the zone of
	// a conditional forward.
	Private []string
	// Verdict is what the evidence gave.
	Verdict *cause.Verdict
}

// Outcome is how a diagnosis ended.
type Outcome uint8

const (
	// Undecided: nothing is claimed, and the generic cause stands.
	Undecided Outcome = iota
	// Explained: there is a verdict.
	Explained
	// Resolves: the question is answered now.
	Resolves
)

var outcomeNames = [...]string{"undecided", "explained", "resolves"}

// String is the value of the metric label result.
func (o Outcome) String() string { return outcomeNames[o] }

// Finding is the result of a diagnosis.
type Finding struct {
	Outcome Outcome
	// Verdict replaces that of the case when the outcome is Explained.
	Verdict *cause.Verdict
	// Zone is the zone at fault; Cut is true if the fault is in its keys, its
	// DS or its servers, and so explains every name below it.
	Zone string
	Cut  bool
	// Fault is what validation found, with the record, key and times that are at
	// fault; nil if the finding is not DNSSEC's.
	Fault *dnssec.Finding
	// Disagrees says how what was found here differs from the specific reason
	// that the upstream gave, which stands. It is empty if the two agree.
	Disagrees string
	// Silent is true if the upstream answered nothing at all.
	Silent bool
	// Text says in one sentence what was found, or why nothing could be.
	Text string
	// Steps is the way to the finding.
	Steps   []Step
	Queries int
	Elapsed time.Duration
}

// Step is one line of the trace, with the zone that it is about, if any.
type Step struct {
	Zone, What string
	OK         bool
}
