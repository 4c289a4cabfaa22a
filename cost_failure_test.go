package ede

import (
	"context"
	"errors"
	"syscall"
	"testing"

	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

type serving = func(plugin.Handler, context.Context, dns.ResponseWriter, *dns.Msg) (int, error)

// failing answers with a failure of each shape that a handler can see to its
// end; a panic is the server core's.
func failing(query *dns.Msg) map[evidence.Shape]serving {
	reply := new(dns.Msg).SetRcode(query, dns.RcodeServerFailure)
	fault := errors.New("no SOA")
	return map[evidence.Shape]serving{
		evidence.Returned: func(plugin.Handler, context.Context, dns.ResponseWriter, *dns.Msg) (int, error) {
			return dns.RcodeServerFailure, nil
		},
		evidence.Written: func(_ plugin.Handler, _ context.Context, w dns.ResponseWriter, _ *dns.Msg) (int, error) {
			return dns.RcodeSuccess, w.WriteMsg(reply)
		},
		evidence.WrittenError: func(_ plugin.Handler, _ context.Context, w dns.ResponseWriter, _ *dns.Msg) (int, error) {
			_ = w.WriteMsg(reply)
			return dns.RcodeSuccess, fault
		},
		evidence.WrittenReturned: func(_ plugin.Handler, _ context.Context, w dns.ResponseWriter, _ *dns.Msg) (int, error) {
			return dns.RcodeServerFailure, w.WriteMsg(reply)
		},
	}
}

// interested is the query of success from a client that shows interest in reasons.
func interested() *dns.Msg {
	query, _ := success()
	query.AuthenticatedData = true
	return query
}

// BenchmarkCachedFailure is the way of a failure from cache whose cause is
// remembered, with `log summary`: with nothing attached, and with its options.
func BenchmarkCachedFailure(b *testing.B) {
	plain, _ := success()
	for _, bm := range []struct {
		name, directive string
		query           *dns.Msg
	}{{"without", "", plain}, {"with", summary, plain}, {"attached", summary, interested()}} {
		b.Run(bm.name, func(b *testing.B) {
			hit := false
			written := failing(bm.query)[evidence.Written]
			// The first query gets past the cache, to a forward whose upstream is dead.
			below := &link{name: "forward", serve: func(plugin.Handler, context.Context, dns.ResponseWriter, *dns.Msg) (int, error) {
				return dns.RcodeServerFailure, syscall.ECONNREFUSED
			}}
			cache := &link{name: "cache", serve: func(next plugin.Handler, ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
				if hit {
					return written(next, ctx, w, r)
				}
				return plugin.NextOrFailure("cache", next, ctx, w, r)
			}}
			f := serve(chain(b, bm.directive, cache, below), bm.query)
			f()
			hit = true
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}

// summary writes no line for each failure.
const summary = "ede {\n log summary 10s\n}"

// BenchmarkRefusal is the way of a refusal by policy, which is always attached to.
func BenchmarkRefusal(b *testing.B) {
	query, _ := success()
	reply := new(dns.Msg).SetRcode(query, dns.RcodeRefused)
	for _, bm := range []struct{ name, directive string }{{"without", ""}, {"with", summary}} {
		b.Run(bm.name, func(b *testing.B) {
			acl := &link{name: "acl", serve: func(_ plugin.Handler, _ context.Context, w dns.ResponseWriter, _ *dns.Msg) (int, error) {
				return dns.RcodeSuccess, w.WriteMsg(reply)
			}}
			f := serve(chain(b, bm.directive, acl), query)
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}

// BenchmarkFailure is the way of a failure of each shape through the same chain
// as BenchmarkSuccess, with `log summary`.
func BenchmarkFailure(b *testing.B) {
	query, _ := success()
	for shape, serveFailure := range failing(query) {
		last := &link{name: "hosts", serve: serveFailure}
		for _, bm := range []struct{ name, directive string }{{"without", ""}, {"with", summary}} {
			b.Run(shape.String()+"/"+bm.name, func(b *testing.B) {
				f := serve(chain(b, bm.directive, last), query)
				b.ReportAllocs()
				for b.Loop() {
					f()
				}
			})
		}
	}
}
