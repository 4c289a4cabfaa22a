//go:build linux

package compatibility_test

import (
	"fmt"
	"testing"

	"github.com/coredns/coredns/coremain"

	"github.com/seed-1b7246af/coredns-ede/test/resolver"
	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// refused is the address from which CoreDNS asks where the peer is to refuse it.
const refused = "127.0.0.2"

// peer is an upstream as it is configured in one line of the table.
type peer struct {
	name    string
	version func(t testing.TB) string
	start   func(t *testing.T, tree resolver.Root) (upstream string)
	// startRefusing is set where the peer cannot refuse by the client's address.
	startRefusing func(t *testing.T, tree resolver.Root) (upstream string)
}

// validating is a resolver that asks the tree.
func validating(r resolver.Resolver, more string) func(*testing.T, resolver.Root) string {
	return func(t *testing.T, tree resolver.Root) string { return r.With(more).Start(t, tree) }
}

// forwarding is a forwarder with an Unbound behind it that gives reasons.
func forwarding(r resolver.Resolver, more string) func(*testing.T, resolver.Root) string {
	return func(t *testing.T, tree resolver.Root) string {
		return r.With(more).Start(t, resolver.Root{Forward: resolver.Unbound.With(reasons).Start(t, tree)})
	}
}

// another is a CoreDNS with a plugin of choice above forward, and an Unbound
// behind it.
func another(plugin, unbound string) func(*testing.T, resolver.Root) string {
	return func(t *testing.T, tree resolver.Root) string {
		return server.Start(t, fmt.Sprintf(`.:0 {
			bind 127.0.0.1
			%s
			acl {
				block net %s
			}
			cache
			forward . %s {
				max_fails 0
			}
		}`, plugin, refused, resolver.Unbound.With(unbound).Start(t, tree))).UDP()
	}
}

const (
	reasons        = "  ede: yes\n  val-log-level: 2\n"
	unboundRefuses = "  access-control: " + refused + "/32 refuse\n"
	bindRefuses    = "  allow-query { !" + refused + "; any; };\n"
	knotRefuses    = "modules.load('view')\nview:addr('" + refused + "', policy.all(policy.REFUSE))\n"
	powerDNSDrops  = "allow-from=127.0.0.1/32\n"
	dnsdistRefuses = "addAction('" + refused + "', RCodeAction(DNSRCode.REFUSED))\n"
)

func coreDNS(testing.TB) string { return coremain.CoreVersion }

var peers = []peer{
	{"Unbound", resolver.Unbound.Version, validating(resolver.Unbound, unboundRefuses), nil},
	{"Unbound, `ede: yes`", resolver.Unbound.Version, validating(resolver.Unbound, unboundRefuses+reasons), nil},
	{"BIND", resolver.BIND.Version, validating(resolver.BIND, bindRefuses), nil},
	{"PowerDNS Recursor", resolver.PowerDNS.Version, validating(resolver.PowerDNS, powerDNSDrops), nil},
	{"PowerDNS Recursor, `extended-resolution-errors=yes`", resolver.PowerDNS.Version,
		validating(resolver.PowerDNS, powerDNSDrops+"extended-resolution-errors=yes\n"), nil},
	{"Knot Resolver", resolver.Knot.Version, validating(resolver.Knot, knotRefuses+"modules.load('extended_error')\n"), nil},
	{"Knot Resolver, `extended_error` unloaded", resolver.Knot.Version, validating(resolver.Knot, knotRefuses), nil},
	{"dnsdist, Unbound with `ede: yes` behind it", resolver.Dnsdist.Version, forwarding(resolver.Dnsdist, dnsdistRefuses), nil},
	{"dnsmasq, Unbound with `ede: yes` behind it", resolver.Dnsmasq.Version, forwarding(resolver.Dnsmasq, ""), validating(resolver.Dnsmasq, "")},
	{"CoreDNS, Unbound with `ede: yes` behind it", coreDNS, another("", reasons), nil},
	{"CoreDNS with *ede*, Unbound with `ede: yes` behind it", coreDNS, another("ede", reasons), nil},
	{"CoreDNS with *ede*, Unbound behind it", coreDNS, another("ede", ""), nil},
}
