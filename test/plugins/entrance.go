package plugins

import (
	"context"
	"sync"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"
)

var entrances sync.Map // of the names of entrances to *dnsserver.Server

// parseEntrance makes a plugin that changes nothing and remembers by a name
// which server it belongs to.
func parseEntrance(args []string) (maker, error) {
	if err := words(args, ""); err != nil {
		return nil, err
	}
	serve := func(ctx context.Context, next plugin.Handler, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		if s, ok := ctx.Value(dnsserver.Key{}).(*dnsserver.Server); ok {
			entrances.LoadOrStore(args[0], s)
		}
		return below("entrance", next, ctx, w, r)
	}
	return func(next plugin.Handler) plugin.Handler { return &handler{"entrance", next, serve} }, nil
}

// Entrance returns the server core that a query came through to the entrance
// with this name, nil if none did.
func Entrance(name string) *dnsserver.Server {
	s, _ := entrances.Load(name)
	found, _ := s.(*dnsserver.Server)
	return found
}
