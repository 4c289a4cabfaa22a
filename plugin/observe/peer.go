package observe

import (
	"context"
	"reflect"
	"unsafe"

	"github.com/coredns/coredns/pb"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/forward"
	"github.com/coredns/coredns/plugin/grpc"
	"github.com/coredns/coredns/plugin/pkg/proxy"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/exchange"
)

// Peer is a configured upstream of forward or grpc, reached as they reach it:
// the same transport, TLS and source address, and no egress that is new.
type Peer struct {
	Addr string
	// Either proxy and forward are set, or client.
	proxy   *proxy.Proxy
	forward *forward.Forward
	client  pb.DnsServiceClient
}

// Peers returns the upstreams of the forward or grpc that failed in run, the
// failing one first, and the zone that it forwards. It returns none if neither
// failed, or if it is not known which upstream did: of several, grpc does not
// tell.
func (run *Run) Peers(failing string) (peers []Peer, zone string) {
	t := run.tapAt(run.failedLevel())
	if t == nil || failing == "" {
		return nil, ""
	}
	if g, ok := t.next.(*grpc.GRPC); ok {
		return grpcPeers(g, failing), fromOf(g)
	}
	t.upstreams.load(t.next)
	for f, i := forwardOf(t.next), 0; f != nil; f, i = forwardOf(f.Next), i+1 {
		set := t.upstreams.forwards[i]
		if !set.has(failing) {
			continue
		}
		for _, p := range set.proxies {
			peer := Peer{Addr: p.Addr(), proxy: p, forward: f}
			if p.Addr() == failing {
				peers = append([]Peer{peer}, peers...)
				continue
			}
			peers = append(peers, peer)
		}
		return peers, fromOf(f)
	}
	return nil, ""
}

// Exchange sends m to the upstream and returns its reply, over TCP if the one
// over UDP is truncated. It is a probe: no part of forward's max_concurrent.
func (p Peer) Exchange(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
	if p.client != nil {
		return exchange.AskGRPC(ctx, p.client, m)
	}
	opts := proxy.Options{ForceTCP: p.forward.ForceTCP(), PreferUDP: p.forward.PreferUDP()}
	return exchange.Ask(ctx, p.proxy, m, opts)
}

// Plain reports whether the upstream is asked over plain DNS, so that Over can be
// used.
func (p Peer) Plain() bool { return p.proxy != nil && exchange.Plain(p.proxy) }

// ForcesTCP reports whether forward asks the upstream over TCP alone.
func (p Peer) ForcesTCP() bool { return p.forward != nil && p.forward.ForceTCP() }

// Over sends m over one transport alone.
func (p Peer) Over(ctx context.Context, m *dns.Msg, over exchange.Transport) (*dns.Msg, error) {
	return exchange.Over(ctx, p.proxy, m, over)
}

// grpcPeers reads the clients of grpc's upstreams, which it does not export.
func grpcPeers(g *grpc.GRPC, failing string) []Peer {
	proxies := reflect.ValueOf(g).Elem().FieldByName("proxies")
	if proxies.Kind() != reflect.Slice {
		return nil
	}
	var peers []Peer
	for i := range proxies.Len() {
		p := proxies.Index(i)
		if p.Kind() != reflect.Pointer || p.IsNil() {
			return nil
		}
		addr, field := p.Elem().FieldByName("addr"), p.Elem().FieldByName("client")
		if addr.Kind() != reflect.String || field.Kind() != reflect.Interface || !field.CanAddr() {
			return nil
		}
		client, ok := reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem().Interface().(pb.DnsServiceClient)
		if !ok {
			return nil
		}
		peer := Peer{Addr: addr.String(), client: client}
		if peer.Addr == failing {
			peers = append([]Peer{peer}, peers...)
			continue
		}
		peers = append(peers, peer)
	}
	if len(peers) == 0 || peers[0].Addr != failing {
		return nil
	}
	return peers
}

// fromOf is the zone that a forward or grpc forwards.
func fromOf(h plugin.Handler) string {
	if from := reflect.ValueOf(h).Elem().FieldByName("from"); from.Kind() == reflect.String {
		return from.String()
	}
	return "."
}

// ForwardZone is the zone of the forward or grpc in this block that name goes to,
// chosen as CoreDNS chooses it; "." if there is none.
func (run *Run) ForwardZone(name string) string {
	for _, t := range run.ladder.taps {
		if t == nil {
			continue
		}
		for h := t.next; forwards(h); h = nextOf(h) {
			if from := fromOf(h); plugin.Name(from).Matches(name) {
				return from
			}
		}
	}
	return "."
}

func forwards(h plugin.Handler) bool {
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
