package test_test

import (
	"context"
	"errors"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"
)

// fault fails in each way in which a plugin can, with no upstream and at once:
//
//	fault SHAPE SERVFAIL|REFUSED
type fault struct {
	shape string
	rcode int
}

// shapes are the ways (a) to (f) in which a failure leaves a plugin chain.
var shapes = []string{
	"returned", "returned-error", "written", "written-error", "written-returned", "noerror-returned", "unanswered", "panicked",
}

var errFault = errors.New("disk on fire")

func init() {
	plugin.Register("fault", func(c *caddy.Controller) error {
		c.Next()
		args := c.RemainingArgs()
		if len(args) != 2 {
			return c.ArgErr()
		}
		f := fault{args[0], dns.StringToRcode[args[1]]}
		dnsserver.GetConfig(c).AddPlugin(func(plugin.Handler) plugin.Handler { return f })
		return nil
	})
}

func (f fault) Name() string { return "fault" }

func (f fault) ServeDNS(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	write := func(rcode int) { _ = w.WriteMsg(new(dns.Msg).SetRcode(r, rcode)) }
	switch f.shape {
	case "returned":
		return f.rcode, nil
	case "returned-error":
		return f.rcode, errFault
	case "written":
		write(f.rcode)
		return dns.RcodeSuccess, nil
	case "written-error":
		write(f.rcode)
		return dns.RcodeSuccess, errFault
	case "written-returned":
		write(f.rcode)
		return f.rcode, nil
	case "noerror-returned":
		write(dns.RcodeSuccess)
		return f.rcode, nil
	case "unanswered":
		return dns.RcodeSuccess, errFault
	case "dropped":
		return dns.RcodeSuccess, nil
	}
	panic("fire")
}
