package ede

import (
	"net/netip"
	"sync"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/explain"
	"github.com/seed-1b7246af/coredns-ede/plugin/instance"
	"github.com/seed-1b7246af/coredns-ede/plugin/observe"
	"github.com/seed-1b7246af/coredns-ede/plugin/why"
)

func init() {
	plugin.Register(pluginName, setup)
	caddy.RegisterEventHook(pluginName, started)
}

// lastDirective registers what has to happen once all directives of all server blocks have
// run. The list of directives is complete when the first set-up runs, as main packages may
// change it in their init functions.
var lastDirective = sync.OnceFunc(func() {
	last := dnsserver.Directives[len(dnsserver.Directives)-1]
	caddy.RegisterParsingCallback("dns", last, instance.Parsed)
})

func setup(c *caddy.Controller) error {
	block, settings, err := parse(c)
	if err != nil {
		return plugin.Error(pluginName, err)
	}
	e := newHandler(block, dnsserver.GetConfig(c))
	load := instance.Of(c.Context())
	cfg := dnsserver.GetConfig(c)
	// Plugins of one block share one list; whatever is added after this one stands below
	// it.
	own := len(cfg.Plugin)
	if err := load.Add(instance.Member{Explainer: e.explainer, Why: e.why, Own: own, Index: c.ServerBlockIndex}, settings); err != nil {
		return plugin.Error(pluginName, err)
	}
	lastDirective()
	cfg.AddPlugin(func(next plugin.Handler) plugin.Handler {
		e.Next = below(e.explainer.Ladder.Top(next), len(cfg.Plugin) == 1)
		return e
	})
	c.OnStartup(load.Start)
	c.OnShutdown(load.Stop)
	return nil
}

func newHandler(block explain.Block, cfg *dnsserver.Config) *Ede {
	x := &explain.Explainer{Block: block, Ladder: observe.NewLadder(cfg)}
	x.Ladder.PassThrough = block.Shadow
	x.Ladder.Background = x.Refreshed
	if block.KeepAnswers {
		x.KeepAnswers()
	}
	e := &Ede{explainer: x}
	if block.Why && !block.Shadow {
		e.why = &why.Answerer{Zones: block.Serves, May: func(addr netip.Addr) bool { return x.Block.WordsFor(addr) == cause.FullWords }}
	}
	return e
}

// started hears that all servers of an instance are up.
func started(event caddy.EventName, info any) error {
	if instanceUp, ok := info.(*caddy.Instance); ok && event == caddy.InstanceStartupEvent {
		instance.Started(instanceUp)
	}
	return nil
}
