package observe

import (
	"context"
	"errors"
	"reflect"
	"sync/atomic"
	"unsafe"

	"github.com/coredns/coredns/plugin/forward"
	"github.com/coredns/coredns/plugin/pkg/proxy"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/exchange"
)

// ErrBusy is returned for a probe that would take from forward's
// max_concurrent what clients need.
var ErrBusy = errors.New("half of max_concurrent is in use")

// Peer is a configured upstream of a forward, reached as forward reaches it:
// the same transport, TLS and source address, and no egress that is new.
type Peer struct {
	Addr    string
	proxy   *proxy.Proxy
	forward *forward.Forward
}

// Peers returns the upstreams of the forward that failed in run, the failing
// one first, and the zone that it forwards. It returns none if forward did not
// fail, as grpc offers no way to ask.
func (run *Run) Peers(failing string) (peers []Peer, zone string) {
	t := run.tapAt(run.failedLevel())
	if t == nil || forwardOf(t.next) == nil {
		return nil, ""
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
// over UDP is truncated. It counts against forward's max_concurrent.
func (p Peer) Exchange(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
	release, err := p.reserve()
	if err != nil {
		return nil, err
	}
	defer release()
	opts := proxy.Options{ForceTCP: p.forward.ForceTCP(), PreferUDP: p.forward.PreferUDP()}
	return exchange.Ask(ctx, p.proxy, m, opts)
}

// reserve counts the probe among forward's queries, as long as at most half of
// them are used. Both counters are private to forward.
func (p Peer) reserve() (release func(), err error) {
	limit := reflect.ValueOf(p.forward).Elem().FieldByName("maxConcurrent")
	counter := reflect.ValueOf(p.forward).Elem().FieldByName("concurrent")
	if limit.Kind() != reflect.Int64 || counter.Kind() != reflect.Int64 || limit.Int() <= 0 {
		return func() {}, nil
	}
	n := (*int64)(unsafe.Pointer(counter.UnsafeAddr()))
	if atomic.AddInt64(n, 1) > limit.Int()/2 {
		atomic.AddInt64(n, -1)
		return nil, ErrBusy
	}
	return func() { atomic.AddInt64(n, -1) }, nil
}

// fromOf is the zone that f forwards.
func fromOf(f *forward.Forward) string {
	if from := reflect.ValueOf(f).Elem().FieldByName("from"); from.Kind() == reflect.String {
		return from.String()
	}
	return "."
}
