package corefiles

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin/secondary"
	"github.com/miekg/dns"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/grpc"
)

// transfer starts a primary of every zone: what its zone files have.
func (tr *tree) transfer(t *testing.T, mark int) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	s := &dns.Server{Listener: l, NotifyStartedFunc: func() { close(started) }}
	s.Handler = dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg).SetReply(r)
		p := dns.NewZoneParser(strings.NewReader(tr.zone(mark, r.Question[0].Name)), "", "")
		for rr, ok := p.Next(); ok; rr, ok = p.Next() {
			m.Answer = append(m.Answer, rr)
		}
		m.Answer = append(m.Answer, m.Answer[0])
		_ = w.WriteMsg(m)
	})
	go func() { _ = s.ActivateAndServe() }()
	<-started
	t.Cleanup(func() { _ = s.Shutdown() })
	return l.Addr().String()
}

// A keyValues plays etcd: it has some hosts of every zone, and what rewrite makes
// of names, each with an IPv4 and an IPv6 address.
type keyValues struct {
	etcdserverpb.UnimplementedKVServer
}

func (keyValues) Range(_ context.Context, r *etcdserverpb.RangeRequest) (*etcdserverpb.RangeResponse, error) {
	found := &etcdserverpb.RangeResponse{Header: &etcdserverpb.ResponseHeader{}}
	key := strings.TrimSuffix(string(r.Key), "/")
	if name := key[strings.LastIndex(key, "/")+1:]; slices.Contains([]string{"www", "x", "host", "new", "web"}, name) {
		for _, address := range []string{address(most), address6(most)} {
			value := fmt.Sprintf(`{"host":%q}`, address)
			found.Count++
			found.Kvs = append(found.Kvs, &mvccpb.KeyValue{Key: r.Key, Value: []byte(value)})
		}
	}
	return found, nil
}

func startEtcd(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	etcdserverpb.RegisterKVServer(s, keyValues{})
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.Serve(l) }()
	t.Cleanup(func() { s.Stop(); <-ended })
	return l.Addr().String()
}

// blocks are those of the Corefile that was loaded last.
var blocks struct {
	sync.Mutex
	configs []*dnsserver.Config
}

// awaitTransfers waits until the zones of all secondaries are there.
func awaitTransfers(t *testing.T) {
	t.Helper()
	blocks.Lock()
	defer blocks.Unlock()
	deadline := time.Now().Add(time.Minute)
	for _, c := range blocks.configs {
		s, ok := c.Handler("secondary").(*secondary.Secondary)
		if !ok {
			continue
		}
		for name, z := range s.Zones.Z {
			empty := func() bool { z.RLock(); defer z.RUnlock(); return z.SOA == nil }
			for empty() {
				if time.Now().After(deadline) {
					t.Fatalf("the zone %s was not transferred", name)
				}
				time.Sleep(time.Millisecond)
			}
		}
	}
}
