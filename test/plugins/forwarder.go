package plugins

import (
	"context"
	"errors"
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metadata"
	"github.com/coredns/coredns/plugin/pkg/nonwriter"

	"github.com/miekg/dns"
)

// Deadline is how long a forwarder waits for an answer in all.
const Deadline = time.Second

var errUnhealthy = errors.New("no healthy upstream host")

// parseForwarder makes a forwarder that asks all its upstreams at once. Without
// an answer a patient one fails when its time is up, and a hasty one as soon as
// none is left to wait for, with an error of its own that hides all others.
func parseForwarder(args []string) (maker, error) {
	if len(args) < 2 {
		return nil, errors.New("no address")
	}
	if err := words(args[:1], "patient|hasty"); err != nil {
		return nil, err
	}
	hasty, upstreams := args[0] == "hasty", args[1:]
	serve := func(ctx context.Context, _ plugin.Handler, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		limited, cancel := context.WithTimeout(ctx, Deadline)
		defer cancel()
		m, from := race(limited, r, upstreams, hasty)
		switch {
		case m != nil:
			metadata.SetValueFunc(ctx, "forwarder/upstream", func() string { return from })
			return dns.RcodeSuccess, w.WriteMsg(m)
		case hasty:
			return dns.RcodeServerFailure, errUnhealthy
		}
		return dns.RcodeServerFailure, limited.Err()
	}
	return func(next plugin.Handler) plugin.Handler { return &handler{"forwarder", next, serve} }, nil
}

// race returns the first answer that is none of failure, else the last one.
func race(ctx context.Context, r *dns.Msg, upstreams []string, hasty bool) (best *dns.Msg, from string) {
	type answer struct {
		m    *dns.Msg
		from string
	}
	answers := make(chan answer, len(upstreams))
	for _, to := range upstreams {
		query := r.Copy()
		go func() {
			m, _ := ask(ctx, query, to)
			answers <- answer{m, to}
		}()
	}
	for range upstreams {
		select {
		case a := <-answers:
			if a.m == nil {
				continue
			}
			best, from = a.m, a.from
			if best.Rcode == dns.RcodeSuccess {
				return best, from
			}
		case <-ctx.Done():
			return best, from
		}
	}
	if best == nil && !hasty {
		<-ctx.Done()
	}
	return best, from
}

func ask(ctx context.Context, r *dns.Msg, to string) (*dns.Msg, error) {
	m, _, err := (&dns.Client{UDPSize: dns.MaxMsgSize}).ExchangeContext(ctx, r, to)
	return m, err
}

// parseAlternate makes a plugin that asks another server where those below it
// gave an answer with the rcode, or failed with it, and passes on what that one
// says.
func parseAlternate(args []string) (maker, error) {
	if err := words(args, "", ""); err != nil {
		return nil, err
	}
	rule, err := rcodes(args[0])
	if err != nil {
		return nil, err
	}
	serve := func(ctx context.Context, next plugin.Handler, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		answer := nonwriter.New(w)
		rcode, err := below("alternate", next, ctx, answer, r)
		found := rcode
		if answer.Msg != nil {
			found = answer.Msg.Rcode
		}
		switch {
		case found == rule[0]:
			m, err := ask(ctx, r, args[1])
			if err != nil {
				return dns.RcodeServerFailure, err
			}
			return dns.RcodeSuccess, w.WriteMsg(m)
		case answer.Msg != nil:
			_ = w.WriteMsg(answer.Msg)
		}
		return rcode, err
	}
	return func(next plugin.Handler) plugin.Handler { return &handler{"alternate", next, serve} }, nil
}
