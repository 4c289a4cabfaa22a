package plugins

import (
	"context"

	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"
)

// parsePanicker makes a plugin that panics instead of asking the next one, or
// once that has answered.
func parsePanicker(args []string) (maker, error) {
	if err := words(args, "before|after"); err != nil {
		return nil, err
	}
	after := args[0] == "after"
	serve := func(ctx context.Context, next plugin.Handler, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		if after {
			// What it holds back is lost with it.
			_, _ = below("panicker", next, ctx, &mute{w}, r)
		}
		panic("out of tune")
	}
	return func(next plugin.Handler) plugin.Handler { return &handler{"panicker", next, serve} }, nil
}

// mute is a writer that writes nothing.
type mute struct{ dns.ResponseWriter }

func (*mute) WriteMsg(*dns.Msg) error { return nil }
