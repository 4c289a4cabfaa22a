// Package delegation finds out whether the name servers of a broken zone can be
// used: it follows the referrals from the root down to the zone, asks each of
// the zone's servers directly, and says what every one of them did.
//
// A verdict rests on what was seen. A server that was not asked, or to which nothing
// could be sent from here, is no evidence. A server that stays silent is held against
// its zone only if the zone's parent answered over the same path (same address
// family, same side of the globally routable space) after the silence; without
// such a control the silence may be our own network's, and the server has no
// vote. Addresses out of special-purpose blocks are named, never sent to,
// unless [Prober.Allowed] covers them.
//
// The package owns no socket: questions go through the injected functions,
// [Dialer] being the usual one for questions to the servers themselves.
package delegation

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/guard"
)

// Direct asks one address a non-recursive question: over UDP, and over TCP
// when the reply is truncated. If that fails, the error is a *CutError. It makes a
// single attempt; repeating is the Prober's. It must not modify q.
type Direct func(ctx context.Context, server netip.AddrPort, q *dns.Msg) (*dns.Msg, error)

// Resolve asks a recursive resolver, with CD=1. It is used for the addresses of
// name servers that no glue gives, and for the name servers of ancestors.
type Resolve func(ctx context.Context, q dns.Question) (*dns.Msg, error)

// DefaultMaxQueries is the number of questions of one Probe when
// [Prober.MaxQueries] is zero.
const DefaultMaxQueries = 60

// Limits of one Probe. A delegation is outside data: whoever writes the zone
// chooses the number of its servers, addresses and cuts.
const (
	maxTries     = 3  // per question and server, RFC 9520 section 3.1
	maxParallel  = 8  // questions in flight
	maxNames     = 13 // name servers looked at, per zone and side
	maxPerName   = 4  // addresses, per name server
	maxServers   = 16 // addresses asked, per zone and side
	maxCuts      = 16 // zone cuts followed
	maxMinimised = 10 // questions with a minimised name, RFC 9156 section 2.3
	maxStarts    = 3  // ancestors tried as a start when the root is no way in
	maxSteps     = 200
)

// Prober asks the servers of zones. Its fields must not change while it is in
// use; it may be used by several goroutines at once.
type Prober struct {
	Direct  Direct  // must be set
	Resolve Resolve // nil: servers without glue have no known address
	// TCP asks over TCP alone. Without it nothing follows from a truncated answer that
	// does not come over TCP.
	TCP Direct
	// Allowed lists networks outside the globally routable space that may be
	// asked, see [SpecialPurpose].
	Allowed []netip.Prefix
	// Port of the name servers, 53 if zero. The roots carry their own.
	Port uint16
	// MaxQueries bounds the questions of one Probe, those of Resolve included;
	// DefaultMaxQueries if zero.
	MaxQueries int
	// Roots are the addresses to start at, [Roots] if nil.
	Roots []netip.AddrPort
	// Now is the clock for round-trip times, time.Now if nil.
	Now func() time.Time
}

func (p *Prober) port() uint16 {
	if p.Port == 0 {
		return 53
	}
	return p.Port
}

func (p *Prober) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}

// mayAsk tells whether a may be sent to.
func (p *Prober) mayAsk(a netip.Addr) bool {
	if _, special := SpecialPurpose(a); !special {
		return true
	}
	for _, n := range p.Allowed {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// Probe finds the zone that holds name, or the first broken one above it, and
// asks each of its servers for name and qtype, for the zone's SOA and, if the
// parent has a DS for it, for its DNSKEY. It ends when ctx does; what could not
// be found out by then leaves the Finding Undecided.
func (p *Prober) Probe(ctx context.Context, name string, qtype uint16) Finding {
	return p.Source(ctx).Probe(name, qtype)
}

// each runs f for 0 to n-1, maxParallel at a time, and waits for all.
func each(n int, f func(i int)) {
	slots := make(chan struct{}, maxParallel)
	var wg sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			defer guard.Catch(guard.Diagnosing, nil)
			f(i)
		})
	}
	wg.Wait()
}
