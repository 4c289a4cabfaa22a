// Package dnssec validates one answer from a trust anchor down and explains
// what it finds: which RRset of which zone is the first that does not hold, and
// the RFC 8914 INFO-CODE that says so.
//
// It is pure over an exchange function and a clock. All it knows comes from
// answers of a recursive resolver that was asked with CD=1, so it sees the data
// that the resolver itself refused to pass on. A chain that validates is never
// called bogus: a name on the way that proves nothing is blamed only if the name
// that was asked for needs it to validate.
package dnssec

import (
	"context"
	"errors"
	"time"

	"github.com/miekg/dns"
)

// Exchange asks a recursive resolver with RD=1, CD=1, DO=1 and EDNS. Transport,
// retries, fallback to TCP, and matching of the answer to the question belong to
// the caller. It returns ErrBudget when no more queries may be sent.
type Exchange func(ctx context.Context, q dns.Question) (*dns.Msg, error)

// ErrBudget is what an Exchange returns when its budget is used up.
var ErrBudget = errors.New("query budget used up")

const (
	defaultMaxQueries = 60
	// maxHops bounds CNAME and DNAME chains; resolvers give up at 8 to 16.
	maxHops = 11
)

// Validator validates answers. The zero value has no anchors and finds
// everything undecided; Exchange and Anchors must be set.
type Validator struct {
	Exchange Exchange
	// Now is the clock that signatures are held against; nil means time.Now.
	Now func() time.Time
	// Anchors are DS and DNSKEY records of any owner name. The closest one at
	// or above a name is used.
	Anchors []dns.RR
	// NegativeAnchors are zones that the public tree does not judge: names in
	// them are insecure at once, without a query, unless an anchor at the same
	// name or below it covers them (RFC 7646).
	NegativeAnchors []string
	// Ed448 verifies algorithm 16; nil makes that algorithm unsupported.
	Ed448 func(pub, msg, sig []byte) bool
	// MaxQueries bounds the queries of one Validate; 0 means 60.
	MaxQueries int
}

// Validate asks q and what it takes to judge the answer. It never returns an
// error: what could not be decided is a Finding too.
func (v *Validator) Validate(ctx context.Context, q dns.Question) Finding {
	r := newRun(ctx, v)
	f := r.question(q)
	for _, z := range r.zones {
		f.Anchored = f.Anchored || z.anchor && z.end == nil
	}
	f.Queries = r.queries
	f.Steps = r.steps
	return *f
}

// question walks the CNAME and DNAME chain, each link in its own zone, until a
// link is at fault or the chain ends.
func (r *run) question(q dns.Question) *Finding {
	name, ok := canonicalName(q.Name)
	if !ok {
		return undecided(".", ".", q.Qtype, "the name cannot be written in wire form")
	}
	r.asked = name
	if q.Qclass != dns.ClassINET {
		return undecided(".", name, q.Qtype, "only class IN is validated")
	}
	if q.Qtype == dns.TypeRRSIG {
		return undecided(".", name, q.Qtype, "RRSIG records are not themselves signed (RFC 4035 section 2.2)")
	}
	var insecure *Finding
	seen := make(map[string]bool)
	for range maxHops {
		if seen[name] {
			return undecided("", name, q.Qtype, "the alias chain of %s is a loop", short(name))
		}
		seen[name] = true
		f, next := r.hop(name, q.Qtype)
		switch f.Status {
		case Bogus, Undecided:
			return f
		case Insecure:
			if insecure == nil || len(insecure.Codes) == 0 {
				insecure = f
			}
		}
		if next == "" {
			if insecure != nil {
				return insecure
			}
			return f
		}
		name = next
	}
	return undecided("", name, q.Qtype, "the alias chain is longer than %d names", maxHops)
}
