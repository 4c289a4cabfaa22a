package observe

import (
	"context"
	"errors"
	"slices"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/forward"
	"github.com/coredns/coredns/plugin/grpc"
	"github.com/coredns/coredns/plugin/pkg/nonwriter"
	"github.com/coredns/coredns/plugin/pkg/proxy"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/exchange"
)

// Peer is a configured upstream of forward or grpc, reached as they reach it: the same
// transport, TLS and source address, and no egress that is new.
type Peer struct {
	Addr string
	// Either proxy and forward are set, or handler: the grpc plugin itself, which has
	// this one upstream.
	proxy   *proxy.Proxy
	forward *forward.Forward
	handler plugin.Handler
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
		zone, known := fromOf(t.next)
		if !known || len(set.addrs) != 1 {
			return nil, ""
		}
		return []Peer{{Addr: failing, handler: t.next}}, zone
	}
	zone, known := fromOf(set.forward)
	if !known {
		return nil, ""
	}
	for _, p := range set.proxies {
		peer := Peer{Addr: p.Addr(), proxy: p, forward: set.forward}
		if p.Addr() == failing {
			peers = slices.Insert(peers, 0, peer)
			continue
		}
		peers = append(peers, peer)
	}
	return peers, zone
}

// Exchange sends m to the upstream and returns its reply, over TCP if the one over UDP
// is truncated.
func (p Peer) Exchange(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
	if p.handler != nil {
		return p.exchangeGRPC(ctx, m)
	}
	opts := proxy.Options{ForceTCP: p.forward.ForceTCP(), PreferUDP: p.forward.PreferUDP()}
	return exchange.Ask(ctx, p.proxy, m, opts)
}

var errNoReply = errors.New("no reply")

// exchangeGRPC asks through the plugin, which does not give its clients away.
func (p Peer) exchangeGRPC(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, exchange.Timeout)
	defer cancel()
	w := nonwriter.New(exchange.Client)
	_, err := p.handler.ServeDNS(ctx, w, m.Copy())
	switch {
	case err != nil:
		return nil, err
	case w.Msg == nil:
		return nil, errNoReply
	case w.Msg.Rcode == dns.RcodeFormatError && len(w.Msg.Answer) == 0:
		// grpc says so of a reply to another question.
		return nil, exchange.ErrQuestion
	}
	return w.Msg, nil
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
			from, known := fromOf(h)
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
