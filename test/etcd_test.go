package test_test

import (
	"context"
	"net"
	"testing"

	"github.com/miekg/dns"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/transcript"
)

// store plays etcd: it has one value under every key, or fails.
type store struct {
	etcdserverpb.UnimplementedKVServer
	value string
	err   error
}

func (s store) Range(_ context.Context, r *etcdserverpb.RangeRequest) (*etcdserverpb.RangeResponse, error) {
	if s.err != nil {
		return nil, s.err
	}
	return &etcdserverpb.RangeResponse{Header: &etcdserverpb.ResponseHeader{}, Count: 1, Kvs: []*mvccpb.KeyValue{{Key: r.Key, Value: []byte(s.value)}}}, nil
}

// etcdOver starts s and returns the plugin that asks it.
func etcdOver(t *testing.T, s store) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := grpc.NewServer()
	etcdserverpb.RegisterKVServer(srv, s)
	ended := make(chan struct{})
	go func() { defer close(ended); _ = srv.Serve(l) }()
	t.Cleanup(func() { srv.Stop(); <-ended })
	return "etcd skydns.local {\n endpoint http://" + l.Addr().String() + "\n }"
}

// An etcd that answers is not out of reach, whatever it answers.
func TestWhatEtcdAnswersIsToldFromAnEtcdThatIsGone(t *testing.T) {
	logs := server.Capture(t)
	for name, tc := range map[string]struct {
		store store
		qtype uint16
		ede   string
		want  line
	}{
		"a value that is no JSON": {
			store{value: "no JSON"}, dns.TypeA, "24 etcd cannot answer from its data: /skydns/local/skydns…: invalid character…",
			line{"cause": "backend_error", "at": "etcd", "owner": "us"},
		},
		"a name server that is no address": {
			store{value: `{"host":"ns.example.org"}`}, dns.TypeNS, "24 etcd cannot answer from its data: NS record must be an IP address: ns.example.org",
			line{"cause": "backend_error", "at": "etcd"},
		},
		"no permission": {
			store{err: rpctypes.ErrGRPCPermissionDenied}, dns.TypeA, "14 etcd is not ready: etcdserver: permission denied",
			line{"cause": "backend_not_ready", "at": "etcd"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := server.Start(t, here(".:0", levels, etcdOver(t, tc.store)))
			m := server.Message("skydns.local", tc.qtype, server.EDNS())
			expect(t, ask(t, fullClient, "udp", s.UDP(), m), "SERVFAIL", tc.ede)
			expectFields(t, failureOf(t, logs, m), tc.want)
		})
	}
	t.Run("example", func(t *testing.T) {
		plugins := etcdOver(t, store{value: "no JSON"})
		s := server.Start(t, here(".:0", "ede", plugins))
		transcript.Check(t, examples, "backend_error", transcript.Session{
			Plugins: plugins, Addr: s.UDP(), Command: "dig", Args: []string{"www.skydns.local", "A"},
			Line: func(id string) string { return logs.WaitFor(t, " id="+id+" ", patience) },
		}.Take(t))
	})
}
