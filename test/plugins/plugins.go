// Package plugins has stand-ins for plugins that CoreDNS does not ship: they
// limit, refuse, change, repeat, ask elsewhere, panic and misbehave as such
// plugins were seen to. A test that imports this package may name them in a
// Corefile, where each has a place among CoreDNS's own directives.
package plugins

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"
)

// maker makes a handler above next. It runs once for each key of a server block.
type maker func(next plugin.Handler) plugin.Handler

// standIn is a directive with the usage of its arguments. It stands right above
// another one in CoreDNS's order.
type standIn struct {
	name, usage, above string
	parse              func(args []string) (maker, error)
}

// standIns are in the order in which a query passes them.
var standIns = []standIn{
	{"entrance", "NAME", "dnstap", parseEntrance},
	{"limiter", "requests|responses error|silent NUMBER", "cache", parseLimiter},
	{"panicker", "before|after", "cache", parsePanicker},
	{"firewall", "RCODE RCODE|drop", "cache", parseFirewall},
	{"relabel", "RCODE RCODE", "cache", parseRelabel},
	{"alternate", "RCODE ADDRESS", "cache", parseAlternate},
	{"parallel", "all|first NUMBER", "cache", parseParallel},
	{"blocklist", "written|doubled|returned", "forward", parseBlocklist},
	{"k8s_gateway", "", "forward", parseGateway},
	{"kubernetai", "", "forward", parseKubernetai},
	{"forwarder", "patient|hasty ADDRESS...", "forward", parseForwarder},
	{"hostile", "twice|late|mutate|raw|renamed RCODE RCODE", "forward", parseHostile},
	{"shape", "SHAPE RCODE", "forward", parseShape},
	{"voices", "NUMBER", "forward", parseVoices},
}

func init() {
	for _, s := range standIns {
		place := slices.Index(dnsserver.Directives, s.above)
		if place < 0 {
			panic("CoreDNS has no directive " + s.above)
		}
		dnsserver.Directives = slices.Insert(dnsserver.Directives, place, s.name)
		plugin.Register(s.name, s.setup)
	}
}

func (s standIn) setup(c *caddy.Controller) error {
	c.Next()
	args := c.RemainingArgs()
	build, err := s.parse(args)
	if err != nil {
		return plugin.Error(s.name, c.Errf("%v: %s %s is wanted", err, s.name, s.usage))
	}
	dnsserver.GetConfig(c).AddPlugin(plugin.Plugin(build))
	return nil
}

// words checks that there is one argument for each set of words that are
// accepted in its place; an empty set accepts any.
func words(args []string, accepted ...string) error {
	if len(args) != len(accepted) {
		return fmt.Errorf("%d arguments", len(args))
	}
	for i, set := range accepted {
		if set != "" && !slices.Contains(strings.Split(set, "|"), args[i]) {
			return fmt.Errorf("%q", args[i])
		}
	}
	return nil
}

func rcodes(args ...string) ([]int, error) {
	var all []int
	for _, a := range args {
		rcode, ok := dns.StringToRcode[a]
		if !ok {
			return nil, fmt.Errorf("%q is no rcode", a)
		}
		all = append(all, rcode)
	}
	return all, nil
}

// handler is a stand-in that asks the plugin below it.
type handler struct {
	name  string
	next  plugin.Handler
	serve func(ctx context.Context, next plugin.Handler, w dns.ResponseWriter, r *dns.Msg) (int, error)
}

func (h *handler) Name() string { return h.name }

func (h *handler) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	return h.serve(ctx, h.next, w, r)
}

// below asks next on behalf of the stand-in with this name.
func below(name string, next plugin.Handler, ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	return plugin.NextOrFailure(name, next, ctx, w, r)
}
