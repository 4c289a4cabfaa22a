//go:build linux

package resolved_test

import (
	"context"
	"sync"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"
)

// tally counts the A queries that come in, by name.
type tally struct{ plugin.Handler }

var (
	counting sync.Mutex
	counts   = make(map[string]int)
)

func init() {
	plugin.Register("tally", func(c *caddy.Controller) error {
		dnsserver.GetConfig(c).AddPlugin(func(next plugin.Handler) plugin.Handler { return tally{next} })
		return nil
	})
}

// asked is how many queries came in for the addresses of a name.
func asked(name string) int {
	counting.Lock()
	defer counting.Unlock()
	return counts[name]
}

func (t tally) Name() string { return "tally" }

func (t tally) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if len(r.Question) > 0 && r.Question[0].Qtype == dns.TypeA {
		counting.Lock()
		counts[dns.CanonicalName(r.Question[0].Name)]++
		counting.Unlock()
	}
	return plugin.NextOrFailure(t.Name(), t.Handler, ctx, w, r)
}
