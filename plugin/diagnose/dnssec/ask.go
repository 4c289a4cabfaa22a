package dnssec

import (
	"context"
	"errors"
	"time"

	"github.com/miekg/dns"
)

// run is one validation: its queries, what they gave, and the trace.
type run struct {
	*Validator
	ctx     context.Context
	now     time.Time
	asked   string // the name of the question
	limit   int
	queries int
	answers map[dns.Question]*message
	zones   map[string]*zone
	cuts    map[string]cut
	steps   []Step
	// checks counts signature verifications, hashes NSEC3 hash rounds: what a
	// hostile zone can make a validator compute is bounded (CVE-2023-50387,
	// CVE-2023-50868).
	checks, hashes int
}

const (
	maxChecks = 512
	maxHashes = 200_000
)

func newRun(ctx context.Context, v *Validator) *run {
	r := &run{
		Validator: v, ctx: ctx, limit: v.MaxQueries,
		answers: make(map[dns.Question]*message),
		zones:   make(map[string]*zone),
		cuts:    make(map[string]cut),
	}
	if r.limit <= 0 {
		r.limit = defaultMaxQueries
	}
	// One reading of the clock: a signature must not expire half-way.
	if v.Now != nil {
		r.now = v.Now()
	} else {
		r.now = time.Now()
	}
	return r
}

// message is an answer sorted into RRsets. failed says why it cannot be used.
type message struct {
	rcode             int
	answer, authority []rrset
	failed            *Finding
}

// rrset is one RRset and the RRSIGs that cover it. Owner names are canonical.
type rrset struct {
	name string
	typ  uint16
	rrs  []dns.RR
	sigs []*dns.RRSIG
}

// maxRecords bounds the sections that are looked at. A DNS message of 64 KiB can
// hold some 4000 records; no sane answer comes near. A part of a longer section
// would not do: a set that lacks records does not verify.
const maxRecords = 1000

// ask sends a question once; a second asking is answered from the first.
func (r *run) ask(name string, t uint16) *message {
	q := dns.Question{Name: name, Qtype: t, Qclass: dns.ClassINET}
	if m, ok := r.answers[q]; ok {
		return m
	}
	m := r.askAgain(q)
	r.answers[q] = m
	return m
}

func (r *run) askAgain(q dns.Question) *message {
	if r.Exchange == nil {
		return &message{failed: undecided("", q.Name, q.Qtype, "no resolver to ask")}
	}
	if r.queries >= r.limit {
		return r.spent(q)
	}
	if r.ctx.Err() != nil {
		return &message{failed: undecided("", q.Name, q.Qtype, "out of time before %s %s", short(q.Name), typeName(q.Qtype))}
	}
	r.queries++
	reply, err := r.Exchange(r.ctx, q)
	switch {
	case errors.Is(err, ErrBudget):
		r.limit = 0
		return r.spent(q)
	case err != nil || reply == nil:
		f := undecided("", q.Name, q.Qtype, "no answer to %s %s", short(q.Name), typeName(q.Qtype))
		f.Silent = true
		return &message{failed: f}
	case reply.Truncated:
		return &message{failed: undecided("", q.Name, q.Qtype, "the answer to %s %s came truncated", short(q.Name), typeName(q.Qtype))}
	}
	m := &message{rcode: reply.Rcode}
	switch reply.Rcode {
	case dns.RcodeSuccess, dns.RcodeNameError, dns.RcodeYXDomain:
	default:
		m.failed = undecided("", q.Name, q.Qtype,
			"%s %s was answered %s even with CD=1", short(q.Name), typeName(q.Qtype), rcodeName(reply.Rcode))
		m.failed.Withheld = reply.Rcode == dns.RcodeServerFailure
		return m
	}
	if len(reply.Answer) > maxRecords || len(reply.Ns) > maxRecords {
		m.failed = undecided("", q.Name, q.Qtype, "the answer to %s %s has more than %d records", short(q.Name), typeName(q.Qtype), maxRecords)
		return m
	}
	m.answer = rrsets(reply.Answer)
	m.authority = rrsets(reply.Ns)
	return m
}

func (r *run) spent(q dns.Question) *message {
	return &message{failed: undecided("", q.Name, q.Qtype,
		"the query budget was used up after %d queries, before %s %s", r.queries, short(q.Name), typeName(q.Qtype))}
}

func rcodeName(rcode int) string {
	if s, ok := dns.RcodeToString[rcode]; ok {
		return s
	}
	return "an unknown RCODE"
}

// rrsets sorts a section, keeping the order in which sets first appear.
func rrsets(section []dns.RR) []rrset {
	type key struct {
		name string
		typ  uint16
	}
	var sets []rrset
	at := make(map[key]int)
	find := func(k key) *rrset {
		i, ok := at[k]
		if !ok {
			i = len(sets)
			at[k] = i
			sets = append(sets, rrset{name: k.name, typ: k.typ})
		}
		return &sets[i]
	}
	for _, rr := range section {
		if rr == nil || rr.Header().Class != dns.ClassINET {
			continue
		}
		name, ok := canonicalName(rr.Header().Name)
		if !ok {
			continue
		}
		// The record may be shared with a cache: lower-case a copy. Sets must
		// be of one spelling for miekg/dns to take them as a set.
		rr = dns.Copy(rr)
		rr.Header().Name = name
		if sig, ok := rr.(*dns.RRSIG); ok {
			signer, ok := canonicalName(sig.SignerName)
			if !ok {
				continue
			}
			sig.SignerName = signer
			set := find(key{name, sig.TypeCovered})
			set.sigs = append(set.sigs, sig)
			continue
		}
		set := find(key{name, rr.Header().Rrtype})
		set.rrs = append(set.rrs, rr)
	}
	return sets
}

// find returns the set of name and type; nil if there is none with records.
func find(sets []rrset, name string, t uint16) *rrset {
	for i := range sets {
		if sets[i].name == name && sets[i].typ == t && len(sets[i].rrs) > 0 {
			return &sets[i]
		}
	}
	return nil
}

// signer is the zone that the signatures of a set name, the longest of those
// that can be the zone of name.
func (s *rrset) signer(name string) string {
	best := ""
	for _, sig := range s.sigs {
		if inZone(sig.SignerName, name) && len(sig.SignerName) > len(best) {
			best = sig.SignerName
		}
	}
	return best
}

func (s *rrset) signedBy(zone string) bool {
	for _, sig := range s.sigs {
		if sig.SignerName == zone {
			return true
		}
	}
	return false
}
