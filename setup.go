package ede

import (
	"sync"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"

	"github.com/seed-1b7246af/coredns-ede/plugin/observe"
)

func init() {
	plugin.Register("ede", setup)
	caddy.RegisterEventHook("ede", started)
}

// lastDirective registers what has to happen once all directives of all server
// blocks have run. The list of directives is complete when the first set-up
// runs, as main packages may change it in their init functions.
var lastDirective = sync.OnceFunc(func() {
	last := dnsserver.Directives[len(dnsserver.Directives)-1]
	caddy.RegisterParsingCallback("dns", last, func(ctx caddy.Context) error { return loads.parsed(ctx) })
})

func setup(c *caddy.Controller) error {
	b, s, err := parse(c)
	if err != nil {
		return plugin.Error("ede", err)
	}
	load := loads.of(c.Context())
	if err := load.settings.merge(s); err != nil {
		return plugin.Error("ede", err)
	}
	lastDirective()

	cfg := dnsserver.GetConfig(c)
	e := &Ede{block: b, ladder: observe.NewLadder(cfg)}
	e.ladder.PassThrough = b.shadow
	e.ladder.Background = e.refreshed
	// Plugins of one block share one list; whatever is added after this one
	// stands below it.
	own := len(cfg.Plugin)
	cfg.AddPlugin(func(next plugin.Handler) plugin.Handler {
		e.Next = e.ladder.Top(next)
		return e
	})
	load.add(e, own, c.ServerBlockIndex)

	c.OnStartup(load.start)
	c.OnShutdown(load.stop)
	return nil
}
