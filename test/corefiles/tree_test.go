package corefiles

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// most is how many marks one Corefile may need.
const most = 40

// A tree holds what Corefiles refer to: zone files and servers, one of each for
// every mark, so that an answer tells where it comes from.
type tree struct {
	dir       string
	upstreams []string
	primaries []string
	etcd      string
	cluster   string // an API of Kubernetes
}

func newTree(t *testing.T) *tree {
	t.Helper()
	tr := &tree{dir: t.TempDir(), etcd: startEtcd(t), cluster: startCluster(t)}
	tr.write(t, "empty", "")
	for mark := range most {
		tr.upstreams = append(tr.upstreams, tr.serve(t, mark))
		tr.primaries = append(tr.primaries, tr.transfer(t, mark))
		for _, z := range zones {
			tr.write(t, fmt.Sprintf("zone%d-%s", mark, z), tr.zone(mark, z))
			tr.write(t, filepath.Join(fmt.Sprintf("auto%d-%s", mark, z), "db."+strings.TrimSuffix(z, ".")), tr.zone(mark, z))
		}
	}
	return tr
}

func (tr *tree) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(tr.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// zone is the zone file of at. It has hosts at the apex of each of the zones, its own
// and those within, and what rewrite makes of names.
func (tr *tree) zone(mark int, at string) string {
	var b strings.Builder
	at = dns.Fqdn(at)
	fmt.Fprintf(&b, "%[1]s 60 IN SOA %[2]s mail.example. 1 60 60 60 60\n%[1]s 60 IN NS %[2]s\n", at, tr.name(mark))
	for _, z := range zones {
		z = dns.Fqdn(z)
		if !dns.IsSubDomain(at, z) {
			continue
		}
		for _, label := range []string{"www", "x", "host", "new", "host.deep", "host.deep.sub", "web.prod.svc"} {
			fmt.Fprintf(&b, "%s 60 IN A %s\n", label+"."+strings.TrimPrefix(z, "."), tr.address(mark))
		}
	}
	return b.String()
}

func (tr *tree) empty() string            { return filepath.Join(tr.dir, "empty") }
func (tr *tree) upstream(mark int) string { return tr.upstreams[mark] }
func (tr *tree) primary(mark int) string  { return tr.primaries[mark] }
func (tr *tree) zoneFile(mark int, zone string) string {
	return filepath.Join(tr.dir, fmt.Sprintf("zone%d-%s", mark, zone))
}
func (tr *tree) directory(mark int, zone string) string {
	return filepath.Join(tr.dir, fmt.Sprintf("auto%d-%s", mark, zone))
}

// name is the primary server in each SOA record of what has the mark, address
// what its A records have.
func (tr *tree) name(mark int) string { return fmt.Sprintf("mark%d.invalid.", mark) }
func (*tree) address(mark int) string { return fmt.Sprintf("192.0.2.%d", mark) }

// serve starts an upstream that has every name, with an A record and no other.
func (tr *tree) serve(t *testing.T, mark int) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	s := &dns.Server{PacketConn: conn, NotifyStartedFunc: func() { close(started) }}
	s.Handler = dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg).SetReply(r)
		name := r.Question[0].Name
		record := fmt.Sprintf("%s 60 IN A %s", name, tr.address(mark))
		if r.Question[0].Qtype == dns.TypeA {
			rr, _ := dns.NewRR(record)
			m.Answer = append(m.Answer, rr)
		} else {
			rr, _ := dns.NewRR(fmt.Sprintf("%s 60 IN SOA %s mail.example. 1 60 60 60 60", name, tr.name(mark)))
			m.Ns = append(m.Ns, rr)
		}
		_ = w.WriteMsg(m)
	})
	go func() { _ = s.ActivateAndServe() }()
	<-started
	t.Cleanup(func() { _ = s.Shutdown() })
	return conn.LocalAddr().String()
}

// markOf returns the mark of an answer, 0 if it has none.
func markOf(m *dns.Msg) (mark int) {
	for _, rr := range append(append([]dns.RR(nil), m.Answer...), m.Ns...) {
		switch rr := rr.(type) {
		case *dns.A:
			if ip := rr.A.To4(); ip != nil && ip[0] == 192 {
				return int(ip[3])
			}
		case *dns.SOA:
			if n, _ := fmt.Sscanf(rr.Ns, "mark%d.invalid.", &mark); n == 1 {
				return mark
			}
		}
	}
	return 0
}
