package explain

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/cloudflare/circl/sign/ed448"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/delegation"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
	"github.com/seed-1b7246af/coredns-ede/plugin/exchange"
)

// newEngine returns the engine of a diagnosis with these options, and what closes its
// connections.
func newEngine(o options) (*diagnose.Engine, func(), error) {
	e := &diagnose.Engine{Anchors: dnssec.RootAnchors(), Private: diagnose.PrivateZones(), Now: time.Now, Ed448: verifyEd448, MaxTime: o.timeout, ByHand: true}
	var open []*exchange.Upstream
	closeAll := func() {
		for _, u := range open {
			u.Close()
		}
	}
	if o.anchors != "" {
		f, err := os.Open(o.anchors)
		if err != nil {
			return nil, nil, err
		}
		defer f.Close()
		if e.Anchors, err = dnssec.ParseAnchors(f, o.anchors); err != nil {
			return nil, nil, err
		}
	}
	if o.delegation || len(o.networks) > 0 {
		dialer := &delegation.Dialer{}
		e.Delegation = &delegation.Prober{Direct: dialer.Direct, TCP: dialer.TCP}
		for _, n := range o.networks {
			p, err := netip.ParsePrefix(n)
			if err != nil {
				return nil, nil, fmt.Errorf("%q is no network: %w", n, err)
			}
			e.Delegation.Allowed = append(e.Delegation.Allowed, p)
		}
	}
	for _, to := range o.compare {
		to, err := serverOf(context.Background(), to)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		u, err := exchange.Open(to, o.patience())
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		open = append(open, u)
		e.Compare = append(e.Compare, diagnose.Resolver{Name: u.Addr, Exchange: u.Exchange})
	}
	return e, closeAll, nil
}

// verifyEd448 verifies DNSSEC algorithm 16 (RFC 8080).
func verifyEd448(pub, msg, sig []byte) bool {
	return len(pub) == ed448.PublicKeySize && ed448.Verify(ed448.PublicKey(pub), msg, sig, "")
}
