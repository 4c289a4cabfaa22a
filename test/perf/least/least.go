// Package least is a plugin for comparison: it does the least that a plugin like ede has to do.
// It holds a failing answer back until the chain has returned, and may attach one option to it.
package least

import (
	"context"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"
)

// The directive is `least`, or `least attach` to attach an option.
const (
	Name   = "least"
	Attach = "attach"
)

func init() { plugin.Register(Name, setup) }

func setup(c *caddy.Controller) error {
	l := &least{}
	for c.Next() {
		args := c.RemainingArgs()
		if len(args) > 1 || len(args) == 1 && args[0] != Attach {
			return c.ArgErr()
		}
		l.attaches = len(args) == 1
	}
	dnsserver.GetConfig(c).AddPlugin(func(next plugin.Handler) plugin.Handler {
		l.next = next
		return l
	})
	return nil
}

type least struct {
	next     plugin.Handler
	attaches bool
}

func (l *least) Name() string { return Name }

// ServeDNS implements plugin.Handler.
func (l *least) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	q := &query{Context: ctx, ResponseWriter: w}
	rcode, err := plugin.NextOrFailure(Name, l.next, q, q, r)
	switch {
	case q.held == nil && (rcode == dns.RcodeServerFailure || rcode == dns.RcodeRefused):
		q.held = new(dns.Msg).SetRcode(r, rcode)
	case q.held == nil:
		return rcode, err
	}
	if l.attaches {
		q.held.SetEdns0(dns.DefaultMsgSize, false)
		opt := q.held.IsEdns0()
		opt.Option = append(opt.Option, &dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeNetworkError, ExtraText: "the upstream 127.0.0.1:1 refuses connections"})
	}
	_ = w.WriteMsg(q.held)
	return dns.RcodeSuccess, err
}

// query goes down the chain as context and as response writer, as ede's does.
type query struct {
	context.Context
	dns.ResponseWriter
	held *dns.Msg
}

// WriteMsg implements dns.ResponseWriter.
func (q *query) WriteMsg(m *dns.Msg) error {
	if m.Rcode == dns.RcodeServerFailure || m.Rcode == dns.RcodeRefused {
		q.held = m.Copy()
		return nil
	}
	return q.ResponseWriter.WriteMsg(m)
}
