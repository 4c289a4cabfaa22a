package runbook_test

import (
	"context"
	"slices"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"

	_ "github.com/seed-1b7246af/coredns-ede"
)

// failing is a plugin that fails as no plugin of CoreDNS does by itself.
type failing struct {
	name  string
	serve func() (int, error)
}

func (f failing) Name() string { return f.name }

func (f failing) ServeDNS(context.Context, dns.ResponseWriter, *dns.Msg) (int, error) {
	return f.serve()
}

// init puts ede where cmd/coredns puts it, and the plugins that fail last.
func init() {
	dnsserver.Directives = slices.Insert(dnsserver.Directives, slices.Index(dnsserver.Directives, "dnstap")+1, "ede")
	for _, f := range []failing{
		{"panics", func() (int, error) { panic("runtime error: index out of range [3] with length 3") }},
		{"strange", func() (int, error) { return dns.RcodeServerFailure, nil }},
	} {
		plugin.Register(f.name, func(c *caddy.Controller) error {
			dnsserver.GetConfig(c).AddPlugin(func(plugin.Handler) plugin.Handler { return f })
			return nil
		})
		dnsserver.Directives = append(dnsserver.Directives, f.name)
	}
}
