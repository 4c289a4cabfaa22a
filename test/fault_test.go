package test_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

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

// customError is a type of which ede cannot know.
type customError struct{ rcode int }

func (e customError) Error() string { return "policy 7 says no" }

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
	case "reasoned":
		m := new(dns.Msg).SetRcode(r, f.rcode)
		m.SetEdns0(1232, false)
		m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeFiltered, ExtraText: "as you asked"}}
		_ = w.WriteMsg(m)
		return dns.RcodeSuccess, nil
	case "dialled":
		_, err := net.DialTimeout("tcp", "127.0.0.1:1", time.Second)
		return f.rcode, fmt.Errorf("store: %w", err)
	case "timed":
		return f.rcode, context.DeadlineExceeded
	case "custom":
		return f.rcode, customError{dns.RcodeRefused}
	case "dropped":
		return dns.RcodeSuccess, nil
	}
	panic("fire")
}
