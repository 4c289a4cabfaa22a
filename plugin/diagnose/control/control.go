// Package control asks resolvers questions whose answers tell of the resolver and
// of nobody's names: the root's own records, a name that cannot exist. What was
// answered serves all diagnoses for a while; silence serves none.
package control

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

const (
	// Lifetime is how long an answer serves.
	Lifetime = 30 * time.Second
	// maxAnswers bounds what is remembered, of all resolvers together.
	maxAnswers = 256
	// udpSize is what is offered (RFC 9715).
	udpSize = 1232
)

// Question is a control question.
type Question struct {
	Name string // "" is a name made up each time, which cannot exist
	Type uint16 // 0 is a type made up each time, which nobody uses
	// Under is the domain that a made up name is in, "" for the top level.
	Under string
	// Unchecked sets CD, Local leaves RD out. Plain leaves out the OPT record, and NoDO the
	// DO bit in it.
	Unchecked, Local, Plain, NoDO bool
}

// The questions that any resolver of the public tree answers.
var (
	RootServers = Question{Name: ".", Type: dns.TypeNS, Unchecked: true}
	RootKeys    = Question{Name: ".", Type: dns.TypeDNSKEY, Unchecked: true}
	// RootChecked has to pass the resolver's own validation, if it has one.
	RootChecked = Question{Name: ".", Type: dns.TypeSOA}
	// Missing has to be answered NXDOMAIN.
	Missing = Question{Type: dns.TypeA, Unchecked: true}
	// MissingLocal is failed by those who leave local to multicast DNS (RFC 6762).
	MissingLocal = Question{Under: "local.", Type: dns.TypeA, Unchecked: true}
	// RootPlain and RootNoDO are RootServers for those who drop EDNS or DNSSEC.
	RootPlain = Question{Name: ".", Type: dns.TypeNS, Plain: true}
	RootNoDO  = Question{Name: ".", Type: dns.TypeNS, Unchecked: true, NoDO: true}
	// Own asks for what the resolver has itself: that it lives, and no more.
	Own = Question{Name: ".", Type: dns.TypeNS, Unchecked: true, Local: true}
)

// SeveralMissing are different names that do not exist, each like Missing. One address may
// be several resolvers, each of which gets some of the names: that of one that has lost its
// way to the Internet hardly gets all of these.
var SeveralMissing = []Question{Missing, Missing, Missing, Missing}

// Below are made-up names below name, for the reason of SeveralMissing; none if they would
// be too long.
func Below(name string) []Question {
	if _, ok := dns.IsDomainName(madeUpLabel() + "." + name); !ok {
		return nil
	}
	return []Question{MadeUp(name), MadeUp(name)}
}

// MadeUp is a name in domain that no cache can have.
func MadeUp(domain string) Question { return Question{Under: domain, Type: dns.TypeA, Unchecked: true} }

// Unused is a type of name that no cache can have. It is for a resolver that hides that
// names do not exist.
func Unused(name string) Question { return Question{Name: name, Unchecked: true} }

// UnusedChecked is Unused where the resolver's validation has to accept the answer.
func UnusedChecked(name string) Question { return Question{Name: name} }

// String is the question as a text names it.
func (q Question) String() string {
	name := q.Name
	if name == "" {
		name = "a name that does not exist"
		if q.Under != "" {
			name += " under " + q.Under
		}
	}
	text := name + " " + dns.Type(q.Type).String()
	if q.Type == 0 {
		text = "an unused type of " + name
	}
	switch {
	case q.Local:
		text += " without recursion"
	case q.Plain:
		text += " without EDNS"
	case q.NoDO:
		text += " without the DO bit"
	}
	return text
}

// Zone is the zone that q is about, if there is such a zone.
func (q Question) Zone() string {
	if q.Name != "" {
		return dns.CanonicalName(q.Name)
	}
	return dns.CanonicalName(q.Under)
}

// madeUpLabel begins with what is random: one denial stands for all names between two
// that exist (RFC 4034 section 4.1.1), and would soon stand for all with one beginning.
func madeUpLabel() string {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	label := make([]byte, 8, 12)
	for i := range label {
		label[i] = letters[rand.UintN(uint(len(letters)))]
	}
	return string(append(label, "-ede"...))
}

// UnusedType is a type made up, which nobody uses.
func UnusedType() uint16 { return firstUnused + uint16(rand.UintN(unused)) }

// The types from 32770 on are unassigned, up to those for private use (RFC 6895 section
// 3.1).
const (
	firstUnused = 32770
	unused      = 65280 - firstUnused
)

func (q Question) message() *dns.Msg {
	m := new(dns.Msg)
	m.Id = dns.Id()
	m.RecursionDesired, m.CheckingDisabled = !q.Local, q.Unchecked
	name := q.Name
	if name == "" {
		name = madeUpLabel() + "." + q.Under
	}
	qtype := q.Type
	if qtype == 0 {
		qtype = UnusedType()
	}
	m.Question = []dns.Question{{Name: name, Qtype: qtype, Qclass: dns.ClassINET}}
	if !q.Plain {
		m.SetEdns0(udpSize, !q.NoDO)
	}
	return m
}

// Reply is what of an answer counts.
type Reply struct {
	Rcode         int
	Recursive     bool // RA
	Authoritative bool
	Validated     bool      // AD
	Freshness     Freshness // of a made-up name or type
	Said          []option.Option
	Asked, At     time.Time // when it was asked and answered
}

// Answers reports whether the resolver answered, the proof of absence included.
func (r Reply) Answers() bool { return r.Rcode == dns.RcodeSuccess || r.Rcode == dns.RcodeNameError }

// Ask puts a message to the resolver.
type Ask func(ctx context.Context, m *dns.Msg) (*dns.Msg, error)

type key struct {
	resolver string
	question Question
}

// Answers remembers what resolvers answered. The zero value is ready, and it is
// safe for concurrent use.
type Answers struct {
	mu    sync.Mutex
	known map[key]Reply
	// failing is true if a failure is among what is known.
	failing atomic.Bool
}

// Get returns what resolver answered to q within Lifetime of now, or asks. The
// error is that of ask.
func (a *Answers) Get(ctx context.Context, resolver string, ask Ask, q Question, now func() time.Time) (Reply, error) {
	return a.GetIf(ctx, resolver, ask, q, now, func(Reply) bool { return true })
}

// GetIf is Get where what is known serves only if serves says so.
func (a *Answers) GetIf(ctx context.Context, resolver string, ask Ask, q Question, now func() time.Time, serves func(Reply) bool) (Reply, error) {
	a.mu.Lock()
	known, ok := a.known[key{resolver, q}]
	a.mu.Unlock()
	if ok && now().Sub(known.At) < Lifetime && serves(known) {
		return known, nil
	}
	return a.Fresh(ctx, resolver, ask, q, now)
}

// Fresh asks, and remembers the answer.
func (a *Answers) Fresh(ctx context.Context, resolver string, ask Ask, q Question, now func() time.Time) (Reply, error) {
	asked := now()
	m, err := ask(ctx, q.message())
	if err != nil {
		return Reply{}, err
	}
	r := Reply{Rcode: m.Rcode, Recursive: m.RecursionAvailable, Authoritative: m.Authoritative, Validated: m.AuthenticatedData, Freshness: FreshnessOf(q, m), Said: option.Read(m), Asked: asked, At: now()}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known == nil {
		a.known = make(map[key]Reply)
	}
	k := key{resolver, q}
	if _, ok := a.known[k]; !ok && len(a.known) >= maxAnswers {
		a.evict()
	}
	a.known[k] = r
	if !r.Answers() {
		a.failing.Store(true)
	}
	return r, nil
}

// evict makes room for one answer: the oldest goes. The lock is held.
func (a *Answers) evict() {
	var oldest key
	var at time.Time
	for k, r := range a.known {
		if at.IsZero() || r.At.Before(at) {
			oldest, at = k, r.At
		}
	}
	delete(a.known, oldest)
}

// Recovered forgets the failures: something resolves again.
func (a *Answers) Recovered() {
	if !a.failing.Swap(false) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for k, r := range a.known {
		if !r.Answers() {
			delete(a.known, k)
		}
	}
}
