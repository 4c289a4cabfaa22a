package plugins

import (
	"context"
	"strconv"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/nonwriter"

	"github.com/miekg/dns"
)

// parseParallel makes a plugin that asks the next one several times at once. It
// passes on the best answer of all, or the first one, while the others still
// run and after it has returned.
func parseParallel(args []string) (maker, error) {
	if err := words(args, "all|first", ""); err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return nil, err
	}
	wanted := n
	if args[0] == "first" {
		wanted = 1
	}
	serve := func(ctx context.Context, next plugin.Handler, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		results := make(chan result, n)
		for range n {
			query := r.Copy()
			go func() {
				answer := nonwriter.New(w)
				rcode, err := below("parallel", next, ctx, answer, query)
				results <- result{answer.Msg, rcode, err}
			}()
		}
		best := <-results
		for range wanted - 1 {
			if other := <-results; other.beats(best) {
				best = other
			}
		}
		if best.m == nil {
			return best.rcode, best.err
		}
		return best.rcode, w.WriteMsg(best.m)
	}
	return func(next plugin.Handler) plugin.Handler { return &handler{"parallel", next, serve} }, nil
}

// result is what a plugin gave.
type result struct {
	m     *dns.Msg
	rcode int
	err   error
}

func (r result) beats(other result) bool {
	good := func(r result) bool { return r.m != nil && r.m.Rcode == dns.RcodeSuccess }
	return good(r) && !good(other)
}
