package observe

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/forward"
	"github.com/coredns/coredns/plugin/grpc"
	"github.com/coredns/coredns/plugin/pkg/proxy"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/exchange"
	"github.com/seed-1b7246af/coredns-ede/plugin/unexported"
)

// Peer is a configured upstream of forward or grpc. It is reached as they reach it, with the
// same transport, TLS and source address: no new network path is needed.
type Peer struct {
	Addr string
	// Either proxy and forward are set, or handler: the grpc plugin itself, which has
	// this one upstream.
	proxy   *proxy.Proxy
	forward *forward.Forward
	handler plugin.Handler
	// maxConcurrent is the forward's, 0 without one; flights are the queries in it.
	maxConcurrent int64
	flights       *flights
}

// Peers returns the upstreams of the forward or grpc that failed in run, the failing
// one first, and the zone that it forwards. It returns none if neither failed, or if it
// is not known which upstream did: of several, grpc does not tell.
func (run *Run) Peers(failing string) (peers []Peer, zone string) {
	t := run.tapAt(run.failedPlace())
	if t == nil || t.upstreams == nil || failing == "" {
		return nil, ""
	}
	i := slices.IndexFunc(t.upstreams.sets, func(s upstreamSet) bool { return slices.Contains(s.addrs, failing) })
	if i < 0 {
		return nil, ""
	}
	set := t.upstreams.sets[i]
	if set.forward == nil {
		zone, known := unexported.Zone(t.next)
		if !known || len(set.addrs) != 1 {
			return nil, ""
		}
		return []Peer{{Addr: failing, handler: t.next}}, zone
	}
	zone, known := unexported.Zone(set.forward)
	if !known {
		return nil, ""
	}
	for _, p := range set.proxies {
		peer := Peer{Addr: p.Addr(), proxy: p, forward: set.forward, maxConcurrent: set.maxConcurrent, flights: t.upstreams.flights}
		if p.Addr() == failing {
			peers = slices.Insert(peers, 0, peer)
			continue
		}
		peers = append(peers, peer)
	}
	return peers, zone
}

// Exchange sends m to the upstream and returns its reply, over TCP if the one over UDP is
// truncated. It is a probe: no part of forward's max_concurrent.
func (p Peer) Exchange(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
	if p.handler != nil {
		return exchange.AskHandler(ctx, p.handler, m)
	}
	opts := proxy.Options{ForceTCP: p.ForcesTCP(), PreferUDP: p.forward.PreferUDP()}
	return exchange.Ask(ctx, p.proxy, m, opts)
}

// Plain reports whether the upstream is asked over plain DNS, so that Over can be used.
func (p Peer) Plain() bool { return p.proxy != nil && exchange.Plain(p.proxy) }

// ForcesTCP reports whether forward asks the upstream over TCP alone.
func (p Peer) ForcesTCP() bool { return p.forward != nil && p.forward.ForceTCP() }

// Over sends m over one transport alone. It is for a Peer that is Plain.
func (p Peer) Over(ctx context.Context, m *dns.Msg, over exchange.Transport) (*dns.Msg, error) {
	return exchange.Over(ctx, p.proxy, m, over)
}

// Full reports whether the forward of p has as many queries under way as its
// max_concurrent allows, so that one more would be refused. Of several forwards in a row
// the queries of all count.
func (p Peer) Full() bool {
	return p.maxConcurrent > 0 && p.flights.now.Load() >= p.maxConcurrent
}

// flights counts the queries that are in the forwards below one tap, where one of these
// has max_concurrent. forward counts them too, and does not tell.
type flights struct{ now atomic.Int64 }

// newFlights returns nil where nothing is limited.
func newFlights(sets []upstreamSet) *flights {
	if slices.ContainsFunc(sets, func(s upstreamSet) bool { return s.maxConcurrent > 0 }) {
		return new(flights)
	}
	return nil
}

// counting is a plugin whose queries are counted for as long as they are in it.
type counting struct {
	plugin.Handler
	flights *flights
}

// ServeDNS implements plugin.Handler.
func (c counting) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	c.flights.now.Add(1)
	defer c.flights.now.Add(-1)
	return c.Handler.ServeDNS(ctx, w, r)
}

// maxConcurrent is that of f, 0 if it has none. Where CoreDNS does not tell it is the
// least there can be, so that nobody counts on room that may not be there.
func maxConcurrent(f *forward.Forward) int64 {
	switch n, known := unexported.MaxConcurrent(f); {
	case known:
		return max(n, 0)
	case f.ErrLimitExceeded != nil:
		return 1
	}
	return 0
}

// ForwardZone is the zone of the forward or grpc in this block that name goes to,
// chosen as CoreDNS chooses it; "." if there is none. known is false where CoreDNS does
// not tell.
func (l *Ladder) ForwardZone(name string) (zone string, known bool) {
	for _, t := range l.taps {
		if t == nil || t.upstreams == nil {
			continue
		}
		for h := t.next; isForwarder(h); h = nextOf(h) {
			from, known := unexported.Zone(h)
			if !known {
				return "", false
			}
			if plugin.Name(from).Matches(name) {
				return from, true
			}
		}
	}
	return ".", true
}

func isForwarder(h plugin.Handler) bool {
	switch h := h.(type) {
	case *forward.Forward:
		return h != nil
	case *grpc.GRPC:
		return h != nil
	}
	return false
}

func nextOf(h plugin.Handler) plugin.Handler {
	switch h := h.(type) {
	case *forward.Forward:
		return h.Next
	case *grpc.GRPC:
		return h.Next
	}
	return nil
}
