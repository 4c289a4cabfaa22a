// Package least is a plugin for comparison: it does the least that a plugin like ede has to do.
// It holds a failing answer back until the chain has returned. Words after its name have it do
// more of what ede does: note the path of the query, count and remember failures, attach an
// option.
package least

import (
	"context"
	"fmt"
	"sync"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"
)

// Name is the directive, and the others are the words that may follow it.
const (
	Name   = "least"
	Path   = "path"
	Count  = "count"
	Attach = "attach"
)

func init() { plugin.Register(Name, setup) }

func setup(c *caddy.Controller) error {
	l := &least{}
	for c.Next() {
		for _, word := range c.RemainingArgs() {
			switch word {
			case Path:
				l.notes = true
			case Count:
				l.failures = newFailures()
			case Attach:
				l.attaches = true
			default:
				return plugin.Error(Name, fmt.Errorf("%q is not one of %s, %s and %s", word, Path, Count, Attach))
			}
		}
	}
	cfg := dnsserver.GetConfig(c)
	own := len(cfg.Plugin)
	var once sync.Once
	cfg.AddPlugin(func(next plugin.Handler) plugin.Handler {
		l.next = next
		return l
	})
	if l.notes {
		// When the last directive of a Corefile has run, the list of plugins is complete.
		last := dnsserver.Directives[len(dnsserver.Directives)-1]
		caddy.RegisterParsingCallback("dns", last, func(caddy.Context) error {
			once.Do(func() { tapAll(cfg, own) })
			return nil
		})
	}
	return nil
}

// tapAll puts a tap above each plugin below the one at place own.
func tapAll(cfg *dnsserver.Config, own int) {
	for i := own; i < len(cfg.Plugin); i++ {
		build := cfg.Plugin[i]
		cfg.Plugin[i] = func(next plugin.Handler) plugin.Handler {
			if next == nil {
				return build(nil)
			}
			return build(&tap{next, next.Name(), i - own})
		}
	}
}

type least struct {
	next            plugin.Handler
	notes, attaches bool
	// failures is nil if they are not counted.
	failures *failures
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
	if l.failures != nil {
		l.failures.count(q, r.Question[0])
	}
	if l.attaches {
		q.held.SetEdns0(dns.DefaultMsgSize, false)
		opt := q.held.IsEdns0()
		opt.Option = append(opt.Option, &dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeNetworkError, ExtraText: "the upstream 127.0.0.2:1 refuses connections"})
	}
	_ = w.WriteMsg(q.held)
	return dns.RcodeSuccess, err
}

// query goes down the chain as context and as response writer, as ede's does.
type query struct {
	context.Context
	dns.ResponseWriter
	held *dns.Msg
	// path has a bit for each plugin that was entered, and failed is the innermost one that
	// returned a failure.
	path   uint64
	failed string
}

// WriteMsg implements dns.ResponseWriter.
func (q *query) WriteMsg(m *dns.Msg) error {
	if m.Rcode == dns.RcodeServerFailure || m.Rcode == dns.RcodeRefused {
		q.held = m.Copy()
		return nil
	}
	return q.ResponseWriter.WriteMsg(m)
}

// tap notes that a query entered the plugin below it, and whether that failed.
type tap struct {
	next  plugin.Handler
	name  string
	place int
}

func (t *tap) Name() string { return t.name }

// ServeDNS implements plugin.Handler.
func (t *tap) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	q, ok := ctx.(*query)
	if !ok {
		return t.next.ServeDNS(ctx, w, r)
	}
	q.path |= 1 << t.place
	rcode, err := t.next.ServeDNS(ctx, w, r)
	if (err != nil || !plugin.ClientWrite(rcode)) && q.failed == "" {
		q.failed = t.name
	}
	return rcode, err
}
