package corefiles

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/coredns/plugin/pkg/dnsutil"
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
	startRelays(t)
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
			name := label + "." + strings.TrimPrefix(z, ".")
			fmt.Fprintf(&b, "%[1]s 60 IN A %[2]s\n%[1]s 60 IN AAAA %[3]s\n", name, address(mark), address6(mark))
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
// what its A records have, and address6 what its AAAA records have.
func (tr *tree) name(mark int) string { return fmt.Sprintf("mark%d.invalid.", mark) }
func address(mark int) string         { return fmt.Sprintf("192.0.2.%d", mark) }
func address6(mark int) string        { return fmt.Sprintf("2001:db8::%x", mark) }

// serve starts an upstream that has every name, with an A and an AAAA record and
// no other.
func (tr *tree) serve(t *testing.T, mark int) string {
	t.Helper()
	return startServer(t, func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg).SetReply(r)
		name := r.Question[0].Name
		section, data := &m.Answer, ""
		switch r.Question[0].Qtype {
		case dns.TypeA:
			data = "A " + address(mark)
		case dns.TypeAAAA:
			data = "AAAA " + address6(mark)
		default:
			section, data = &m.Ns, "SOA "+tr.name(mark)+" mail.example. 1 60 60 60 60"
		}
		rr, _ := dns.NewRR(name + " 60 IN " + data)
		*section = append(*section, rr)
		_ = w.WriteMsg(m)
	})
}

// startServer starts a server for UDP, and returns its address.
func startServer(t *testing.T, handler dns.HandlerFunc) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	s := &dns.Server{PacketConn: conn, NotifyStartedFunc: func() { close(started) }, Handler: handler}
	go func() { _ = s.ActivateAndServe() }()
	<-started
	t.Cleanup(func() { _ = s.Shutdown() })
	return conn.LocalAddr().String()
}

// markOf returns the mark of an answer, 0 if it has none.
func markOf(m *dns.Msg) (mark int) {
	for _, rr := range slices.Concat(m.Answer, m.Ns) {
		switch rr := rr.(type) {
		case *dns.A:
			mark = markIn(rr.A.String())
		case *dns.AAAA:
			mark = markIn(rr.AAAA.String())
		case *dns.PTR: // of hosts: the mark is in the address
			mark = markIn(dnsutil.ExtractAddressFromReverse(rr.Hdr.Name))
		case *dns.SOA:
			_, _ = fmt.Sscanf(rr.Ns, "mark%d.invalid.", &mark)
		}
		if mark != 0 {
			return mark
		}
	}
	return 0
}

// markedNetworks have the mark in the last octet of each address. The last network
// is that of dns64, which takes the octet from an A record.
var markedNetworks = []netip.Prefix{
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("64:ff9b::/96"),
}

func markIn(address string) int {
	ip, _ := netip.ParseAddr(address)
	if !slices.ContainsFunc(markedNetworks, func(n netip.Prefix) bool { return n.Contains(ip) }) {
		return 0
	}
	octets := ip.AsSlice()
	return int(octets[len(octets)-1])
}
