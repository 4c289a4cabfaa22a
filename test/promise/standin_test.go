package promise_test

import (
	"context"
	"net"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc"

	"github.com/seed-1b7246af/coredns-ede/test/plugins"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// instant are the transports that pack a message while it is written: DoH and
// gRPC keep the pointer, so that with them even stock CoreDNS sends what a plugin
// makes of a message afterwards.
var instant = []string{"tcp", "udp", "tls", "quic"}

// closing are the transports over which a packed message is known to be the last:
// with QUIC the server core leaves the stream open behind it.
var closing = []string{"tcp", "udp", "tls", "https", "https3", "grpc"}

// standInBlocks are server blocks with plugins that CoreDNS does not ship.
func standInBlocks() []block {
	all := []block{
		{name: "limiter that drops queries with an error", plugins: forwarding(reasoned(), "limiter requests error 0"), quiet: true},
		{name: "limiter that drops queries", plugins: forwarding(reasoned(), "limiter requests silent 0"), quiet: true},
		{name: "limiter that drops answers with an error", plugins: forwarding(reasoned(), "limiter responses error 0"), quiet: true},
		{name: "limiter that drops good answers with an error", plugins: forwarding(upstream.Answer(), "limiter responses error 0"), quiet: true},
		{name: "limiter below the limit", plugins: forwarding(reasoned(), "limiter responses error 100000")},
		{name: "limiter over nobody", plugins: dead("limiter responses error 0")},

		{name: "firewall that refuses an answer", plugins: forwarding(upstream.Answer(), "firewall NOERROR REFUSED")},
		{name: "firewall that refuses a failure", plugins: forwarding(reasoned(), "firewall SERVFAIL REFUSED", steady), aged: true},
		{name: "firewall that blocks a failure", plugins: forwarding(reasoned(), "firewall SERVFAIL NXDOMAIN"), quiet: true},
		{name: "firewall that drops a failure", plugins: forwarding(reasoned(), "firewall SERVFAIL drop"), quiet: true},
		{name: "firewall over an error", plugins: dead("firewall NOERROR REFUSED")},
		{name: "firewall that panics over what is returned", plugins: lines("firewall NOERROR REFUSED\nhosts {\n 192.0.2.5 known.example.org\n }"), quiet: true},
		{name: "relabel of an answer", plugins: forwarding(upstream.Answer(), "relabel NOERROR SERVFAIL", steady), aged: true},
		{name: "relabel of a failure", plugins: forwarding(reasoned(), "relabel SERVFAIL REFUSED", steady), aged: true},
		{name: "relabel of a failure to an answer", plugins: forwarding(reasoned(), "relabel SERVFAIL NOERROR"), quiet: true},

		{name: "alternate with a reason", plugins: elsewhere("SERVFAIL", upstream.Config{Handler: upstream.Rcode(refused, true, ede(18, "elsewhere"))})},
		{name: "alternate without a reason", plugins: elsewhere("SERVFAIL", upstream.Config{Handler: upstream.Rcode(servfail, true)})},
		{name: "alternate with an answer", plugins: elsewhere("SERVFAIL", upstream.Config{}), quiet: true},
		{name: "alternate that is dead", plugins: func(t *testing.T) string { return forwarding(reasoned(), "alternate SERVFAIL "+upstream.Closed(t))(t) }},

		{name: "panicker before the next plugin", plugins: forwarding(reasoned(), "panicker before"), quiet: true},
		{name: "panicker after the next plugin", plugins: forwarding(reasoned(), "panicker after"), quiet: true},
		{name: "panicker after an answer", plugins: forwarding(upstream.Answer(), "panicker after"), quiet: true},

		{name: "parallel, all, over reasons", plugins: forwarding(reasoned(), "parallel all 3")},
		{name: "parallel, first, over reasons", plugins: forwarding(reasoned(), "parallel first 3")},
		{name: "parallel, all, over nobody", plugins: dead("parallel all 3")},
		{name: "parallel, first, over an answer", plugins: forwarding(upstream.Answer(), "parallel first 3"), quiet: true},
		{name: "parallel, all, over cache", plugins: forwarding(reasoned(), "parallel all 2", steady), aged: true},
		{name: "parallel, first, over what is returned", plugins: lines("parallel first 3\nshape returned REFUSED")},

		{name: "forwarder without a healthy upstream", plugins: func(t *testing.T) string { return "forwarder hasty " + upstream.Closed(t) }},
		{name: "forwarder to reasons", plugins: func(t *testing.T) string { return "forwarder patient " + said(t, reasoned()) }},
		{name: "forwarder to an answer", plugins: func(t *testing.T) string { return "forwarder patient " + said(t, upstream.Answer()) }, quiet: true},
		{name: "cache over forwarder to reasons", plugins: func(t *testing.T) string { return steady + "forwarder patient " + said(t, reasoned()) }, aged: true},

		{name: "k8s_gateway", plugins: lines("k8s_gateway")},
		{name: "kubernetai", plugins: lines("kubernetai")},
		{name: "blocklist, written", plugins: lines("blocklist written")},
		{name: "blocklist, doubled", plugins: lines("blocklist doubled")},
		{name: "blocklist, returned", plugins: lines("blocklist returned")},

		{name: "hostile: a message changed after a failure", plugins: lines("hostile mutate SERVFAIL NOERROR"), over: instant},
		{name: "hostile: a message changed after a refusal", plugins: lines("hostile mutate REFUSED SERVFAIL"), over: instant},
		{name: "hostile: a message changed after an answer", plugins: lines("hostile mutate NOERROR SERVFAIL"), over: instant, quiet: true},
		{name: "hostile: a packed failure", plugins: lines("hostile raw SERVFAIL SERVFAIL"), over: closing, quiet: true},
		{name: "hostile: a packed answer", plugins: lines("hostile raw NOERROR NOERROR"), over: closing, quiet: true},
		{name: "hostile: a renamed question, a failure", plugins: lines("hostile renamed SERVFAIL SERVFAIL")},
		{name: "hostile: a renamed question, an answer", plugins: lines("hostile renamed NOERROR NOERROR"), quiet: true},
	}
	for _, shape := range plugins.Shapes {
		for _, rcode := range rcodesOf(shape) {
			all = append(all, block{
				name: "shape " + shape + " " + rcode, plugins: lines("shape " + shape + " " + rcode),
				quiet: rcode != "SERVFAIL" && rcode != "REFUSED" || shape == "panicked" || strings.HasPrefix(shape, "answered") || strings.HasPrefix(shape, "dropped"),
			})
		}
	}
	return append(all,
		block{name: "cache over a returned failure", plugins: lines(steady + "shape returned-error SERVFAIL"), aged: true},
		block{name: "cache over a drop with an error", plugins: lines(steady + "shape dropped-error SERVFAIL"), aged: true, quiet: true},
		block{name: "minimal over a failure with an error", plugins: lines("minimal\nshape written-error SERVFAIL"), quiet: true},
		block{name: "rewrite over a drop with an error", plugins: lines("rewrite stop {\n name suffix .example.org .example.net answer auto\n }\nshape dropped-error SERVFAIL"), quiet: true},
	)
}

// rcodesOf are the rcodes with which a shape is tried.
func rcodesOf(shape string) []string {
	switch shape {
	case "answered", "nodata", "empty", "large", "aliased", "dropped", "dropped-error", "panicked", "answered-error":
		return []string{"NOERROR"}
	case "returned", "written":
		return []string{"SERVFAIL", "REFUSED", "NXDOMAIN", "FORMERR", "NOTIMP", "YXDOMAIN", "NOTAUTH"}
	}
	return []string{"SERVFAIL", "REFUSED"}
}

// elsewhere is a block in which alternate asks another upstream where the first
// one, which has reasons, failed.
func elsewhere(rcode string, other upstream.Config) func(*testing.T) string {
	return func(t *testing.T) string {
		return forwarding(reasoned(), "alternate "+rcode+" "+upstream.Start(t, other).Addr())(t)
	}
}

// store plays an etcd that lets nobody read.
type store struct {
	etcdserverpb.UnimplementedKVServer
}

func (store) Range(context.Context, *etcdserverpb.RangeRequest) (*etcdserverpb.RangeResponse, error) {
	return nil, rpctypes.ErrGRPCPermissionDenied
}

// etcd starts the store and returns the plugin that asks it.
func etcd(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	etcdserverpb.RegisterKVServer(s, store{})
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.Serve(l) }()
	t.Cleanup(func() { s.Stop(); <-ended })
	return "etcd example.org {\n endpoint http://" + l.Addr().String() + "\n }"
}
