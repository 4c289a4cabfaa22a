package plugins

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/nonwriter"

	"github.com/miekg/dns"
)

var errLimit = errors.New("response rate exceeded the limit")

// parseLimiter makes a rate limiter that lets so many queries pass and drops
// those that follow, before or after it has asked for their answers. It tells
// the server core that all is well, as a drop needs it, and the plugins above an
// error or nothing.
func parseLimiter(args []string) (maker, error) {
	if err := words(args, "requests|responses", "error|silent", ""); err != nil {
		return nil, err
	}
	limit, err := strconv.ParseInt(args[2], 10, 64)
	if err != nil {
		return nil, err
	}
	var excuse error
	if args[1] == "error" {
		excuse = errLimit
	}
	seen := new(atomic.Int64)
	exceeds := func() bool { return seen.Add(1) > limit }
	serve := func(ctx context.Context, next plugin.Handler, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		if exceeds() {
			return dns.RcodeSuccess, excuse
		}
		return below("limiter", next, ctx, w, r)
	}
	if args[0] == "responses" {
		serve = func(ctx context.Context, next plugin.Handler, w dns.ResponseWriter, r *dns.Msg) (int, error) {
			answer := nonwriter.New(w)
			rcode, err := below("limiter", next, ctx, answer, r)
			switch {
			case !plugin.ClientWrite(rcode), answer.Msg == nil:
				return rcode, err
			case exceeds():
				return dns.RcodeSuccess, excuse
			}
			return rcode, w.WriteMsg(answer.Msg)
		}
	}
	return func(next plugin.Handler) plugin.Handler { return &handler{"limiter", next, serve} }, nil
}
