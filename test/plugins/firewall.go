package plugins

import (
	"context"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/nonwriter"

	"github.com/miekg/dns"
)

// parseFirewall makes a plugin that judges the answer of those below it: one
// with the first rcode is thrown away for an own one with the second, or
// dropped. It expects an answer, and panics over a
// failure that was returned and not written.
func parseFirewall(args []string) (maker, error) {
	if len(args) == 2 && args[1] == "drop" {
		return judge(args[0], func(dns.ResponseWriter, *dns.Msg) error { return nil })
	}
	if err := words(args, "", ""); err != nil {
		return nil, err
	}
	to, err := rcodes(args[1])
	if err != nil {
		return nil, err
	}
	return judge(args[0], func(w dns.ResponseWriter, r *dns.Msg) error {
		return w.WriteMsg(new(dns.Msg).SetRcode(r, to[0]))
	})
}

func judge(rcode string, punish func(dns.ResponseWriter, *dns.Msg) error) (maker, error) {
	from, err := rcodes(rcode)
	if err != nil {
		return nil, err
	}
	serve := func(ctx context.Context, next plugin.Handler, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		answer := nonwriter.New(w)
		if _, err := below("firewall", next, ctx, answer, r); err != nil {
			_ = w.WriteMsg(new(dns.Msg).SetRcode(r, dns.RcodeServerFailure))
			return dns.RcodeSuccess, err
		}
		if answer.Msg.Rcode == from[0] {
			return dns.RcodeSuccess, punish(w, r)
		}
		return dns.RcodeSuccess, w.WriteMsg(answer.Msg)
	}
	return func(next plugin.Handler) plugin.Handler { return &handler{"firewall", next, serve} }, nil
}

// parseRelabel makes a plugin that writes another rcode into the answers with
// the first, on their way up, and leaves all else of them.
func parseRelabel(args []string) (maker, error) {
	if err := words(args, "", ""); err != nil {
		return nil, err
	}
	rule, err := rcodes(args...)
	if err != nil {
		return nil, err
	}
	serve := func(ctx context.Context, next plugin.Handler, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		return below("relabel", next, ctx, &relabeller{w, rule[0], rule[1]}, r)
	}
	return func(next plugin.Handler) plugin.Handler { return &handler{"relabel", next, serve} }, nil
}

type relabeller struct {
	dns.ResponseWriter
	from, to int
}

func (w *relabeller) WriteMsg(m *dns.Msg) error {
	if m.Rcode == w.from {
		m.Rcode = w.to
	}
	return w.ResponseWriter.WriteMsg(m)
}
