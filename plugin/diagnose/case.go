// Package diagnose finds out why a name fails where the evidence of the query
// does not tell: it asks the upstream again with EDNS and with CD=1, validates
// the DNSSEC chain itself, asks the other upstreams, and the zone's own name
// servers. The engine is pure over exchange functions and a clock; the Runner
// keeps it within a budget and off the clients' path.
package diagnose

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/exchange"
)

// Exchange puts a message to one resolver and returns its reply. It owns
// transport and timeouts and leaves the message unchanged.
type Exchange func(ctx context.Context, m *dns.Msg) (*dns.Msg, error)

// Resolver is one that can be asked.
type Resolver struct {
	// Name is its address as it may be shown in full texts.
	Name     string
	Exchange Exchange
	// UDP and TCP ask over that transport alone, and return a truncated reply as it
	// is. They are nil where there is no choice, as with DNS over TLS.
	UDP, TCP Exchange
	// ByTCP is true if Exchange itself uses TCP.
	ByTCP bool
	// Anywhere asks over UDP and takes the reply from whoever sends it, with whatever ID.
	// It is nil where UDP, too, is.
	Anywhere func(ctx context.Context, m *dns.Msg) (exchange.Heard, error)
}

// Case is a failure to be diagnosed.
type Case struct {
	// Scope is where the finding holds.
	Scope evidence.Scope
	// Question as the upstream was asked.
	Question dns.Question
	// DNSSECOK is the DO bit of the client's query.
	DNSSECOK bool
	// AD is the AD bit of the query to the upstream. PowerDNS Recursor, for one,
	// validates only if AD or DO is set.
	AD bool
	// TimedOut is true if the upstream did not answer in time, as opposed to
	// having answered with the failure.
	TimedOut bool
	// Failing is the upstream that failed, Others those configured next to it.
	Failing Resolver
	Others  []Resolver
	// Private are the zones that the public DNS does not judge, for example the
	// zone of a conditional forward.
	Private []string
	// Answered returns how many queries of this server the failing upstream has
	// answered since this server started. It is nil if that is not known.
	Answered func() uint64
	// Server is the listener that the client's query came to, for the log.
	Server string
	// Verdict is what the evidence gave.
	Verdict *cause.Verdict
	// lives is set once the failing upstream has answered anything; it may be nil.
	lives *atomic.Bool
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
	// Verdict replaces that of the case when the outcome is Explained. When it is
	// Undecided the cause stands, with what was seen in its words; it may be nil.
	Verdict *cause.Verdict
	// Seen are the suspects that were looked at and not named, the nearest first, each
	// with what rules it out, or with why that is not known.
	Seen []string
	// Zone is the zone at fault; Cut is true if the fault is in its keys, its
	// DS or its servers, and so explains every name below it.
	Zone string
	Cut  bool
	// Fault is what validation found, with the record, key and times that are at
	// fault; nil if the finding is not DNSSEC's.
	Fault *dnssec.Finding
	// Disagrees says how what was found here differs from the specific reason
	// that the upstream gave. It is empty if the two agree.
	Disagrees string
	// Silent is true if the upstream answered no question that needs recursion, so
	// that asking it again at once is of no use.
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

// PrivateZones are names that the public tree does not judge: special-use names
// (RFC 6761, 6762, 7686, 8375, 9476), the reverse zones of RFC 6303 and of
// shared address space (RFC 7793), and internal, which ICANN reserved.
func PrivateZones() []string {
	zones := []string{
		"local.", "localhost.", "test.", "invalid.", "onion.", "alt.", "internal.", "home.arpa.",
		"10.in-addr.arpa.", "168.192.in-addr.arpa.", "127.in-addr.arpa.", "254.169.in-addr.arpa.", "0.in-addr.arpa.",
		"2.0.192.in-addr.arpa.", "100.51.198.in-addr.arpa.", "113.0.203.in-addr.arpa.", "255.255.255.255.in-addr.arpa.",
		"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.",
		"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.",
		"d.f.ip6.arpa.", "8.e.f.ip6.arpa.", "9.e.f.ip6.arpa.", "a.e.f.ip6.arpa.", "b.e.f.ip6.arpa.", "8.b.d.0.1.0.0.2.ip6.arpa.",
	}
	for i := 16; i <= 31; i++ {
		zones = append(zones, fmt.Sprintf("%d.172.in-addr.arpa.", i))
	}
	for i := 64; i <= 127; i++ {
		zones = append(zones, fmt.Sprintf("%d.100.in-addr.arpa.", i))
	}
	return zones
}

// question is what is put to a resolver.
func question(q dns.Question, cd, do bool) *dns.Msg {
	m := new(dns.Msg)
	m.Id = dns.Id()
	m.RecursionDesired = true
	m.CheckingDisabled = cd
	m.Question = []dns.Question{q}
	m.SetEdns0(udpSize, do)
	return m
}

// query is the case's question with EDNS, and with DO and AD as it was asked: there are
// resolvers to which it makes a difference. With CD=1 it is for us to validate.
func (d *diagnosis) query(cd bool) *dns.Msg {
	if !cd {
		return d.asked(d.Question)
	}
	return question(d.Question, true, true)
}

// asked is a query for q with CD=0 and the flags of the client's.
func (d *diagnosis) asked(q dns.Question) *dns.Msg {
	m := question(q, false, d.DNSSECOK)
	m.AuthenticatedData = d.AD
	return m
}

// sibling is the question for another type of the same name.
func (d *diagnosis) sibling() dns.Question {
	q := d.Question
	q.Qtype = dns.TypeA
	if d.Question.Qtype == dns.TypeA {
		q.Qtype = dns.TypeAAAA
	}
	return q
}
