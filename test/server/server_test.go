package server_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/test/certificate"
	"github.com/seed-1b7246af/coredns-ede/test/leak"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"

	"github.com/miekg/dns"
)

const (
	patience = 30 * time.Second
	silence  = 150 * time.Millisecond
)

// here is a server block on 127.0.0.1 with the body given.
func here(keys, body string) string {
	return fmt.Sprintf("%s {\n bind 127.0.0.1\n %s\n}\n", keys, body)
}

// marked is a block whose answers carry a TXT record that tells it apart.
func marked(keys, mark string) string {
	return here(keys, fmt.Sprintf("template ANY ANY {\n answer \"{{ .Name }} 60 IN TXT %s\"\n }", mark))
}

func mark(t *testing.T, addr, network, name string) string {
	t.Helper()
	r := server.Ask(t, addr, name, dns.TypeTXT, server.Over(network))
	if len(r.Answer) != 1 {
		t.Fatalf("got %v, want one TXT record", r)
	}
	return strings.Join(r.Answer[0].(*dns.TXT).Txt, "")
}

func TestEveryTransportIsServed(t *testing.T) {
	leak.Check(t)
	cert, key := certificate.New(t).Files(t)
	secure := fmt.Sprintf("tls %s %s\n", cert, key)
	s := server.Start(t, marked(".:0", "dns")+
		strings.ReplaceAll(marked("tls://.:0", "tls")+marked("https://.:0", "https")+
			marked("quic://.:0", "quic")+marked("grpc://.:0", "grpctls"), "template", secure+"template"))

	for _, tc := range []struct{ addr, network, want string }{
		{s.UDP(), "udp", "dns"},
		{s.TCP(), "tcp", "dns"},
		{s.DoT(), "tls", "tls"},
		{s.DoH(), "https", "https"},
		{s.DoH(), "https-get", "https"},
		{s.DoQ(), "quic", "quic"},
		{s.GRPC(), "grpctls", "grpctls"},
	} {
		if got := mark(t, tc.addr, tc.network, "example.org"); got != tc.want {
			t.Errorf("%s at %s: answered by block %q, want %q", tc.network, tc.addr, got, tc.want)
		}
	}
	if got := len(s.Listeners()); got != 5 {
		t.Errorf("%d listeners, want 5", got)
	}
}

func TestGRPCAndDoHInClearTextStart(t *testing.T) {
	leak.Check(t)
	s := server.Start(t, marked("grpc://.:0", "grpc")+marked("https://.:0", "http"))
	if got := mark(t, s.GRPC(), "grpc", "example.org"); got != "grpc" {
		t.Errorf("answered by %q", got)
	}
	if s.DoH() == "" {
		t.Error("no address for https://")
	}
}

func TestBlocksAreFoundByZone(t *testing.T) {
	leak.Check(t)
	elsewhere := strings.ReplaceAll(marked("example.net:0", "second"), "127.0.0.1", "127.0.0.2")
	s := server.Start(t, marked("example.org:0 example.com:0", "first")+elsewhere)
	for zone, want := range map[string]string{"example.org": "first", "EXAMPLE.com.": "first", "example.net": "second"} {
		if got := mark(t, s.UDP(zone), "udp", "www."+zone); got != want {
			t.Errorf("%s: answered by block %q, want %q", zone, got, want)
		}
		if got := mark(t, s.TCP(zone), "tcp", "www."+zone); got != want {
			t.Errorf("%s over TCP: answered by block %q, want %q", zone, got, want)
		}
	}
	if host, _, _ := net.SplitHostPort(s.UDP("example.net")); host != "127.0.0.2" {
		t.Errorf("example.net is at %s, want 127.0.0.2", host)
	}
}

func TestACorefileThatDoesNotLoadReturnsItsError(t *testing.T) {
	leak.Check(t)
	for name, tc := range map[string]struct{ corefile, want string }{
		"unknown directive":     {here(".:0", "nosuchplugin"), "nosuchplugin"},
		"bad plugin argument":   {here(".:0", "forward . nonsense"), "nonsense"},
		"two blocks for a zone": {here(".:0", "whoami") + here(".:0", "whoami"), "already defined"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := server.Try(tc.corefile)
			if err == nil {
				s.Stop()
				t.Fatal("it loads")
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want it to name %q", err, tc.want)
			}
		})
	}
}

func TestTryIsStoppedByItsCaller(t *testing.T) {
	leak.Check(t)
	s, err := server.Try(marked(".:0", "one"))
	if err != nil {
		t.Fatal(err)
	}
	addr := s.TCP()
	for range 2 {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	}
	if _, err := server.Exchange(addr, "tcp", server.Message("example.org", dns.TypeA), silence); err == nil {
		t.Error("a stopped server answers")
	}
}

func TestReloadKeepsTheSocketsAndAFailedOneTheConfiguration(t *testing.T) {
	leak.Check(t)
	server.Capture(t)
	s := server.Start(t, marked(".:0", "old"))
	udp, tcp := s.UDP(), s.TCP()

	if err := s.Reload(marked(".:0", "new")); err != nil {
		t.Fatal(err)
	}
	if s.UDP() != udp || s.TCP() != tcp {
		t.Errorf("at %s and %s after the reload, want %s and %s as before", s.UDP(), s.TCP(), udp, tcp)
	}
	for _, network := range []string{"udp", "tcp"} {
		addr := map[string]string{"udp": udp, "tcp": tcp}[network]
		if got := mark(t, addr, network, "example.org"); got != "new" {
			t.Errorf("over %s: answered by the %s configuration", network, got)
		}
	}
	if err := s.Reload(here(".:0", "nosuchplugin")); err == nil || !strings.Contains(err.Error(), "nosuchplugin") {
		t.Errorf("got %v, want an error that names the plugin", err)
	}
	if got := mark(t, s.UDP(), "udp", "example.org"); got != "new" {
		t.Errorf("answered by the %s configuration after a failed reload, want new", got)
	}
}

func TestStartAndStopManyTimesLeavesNothing(t *testing.T) {
	leak.Check(t)
	up := upstream.Start(t, upstream.Config{})
	for i := range 10 {
		s, err := server.Try(here(".:0", "cache\n forward . "+up.To()))
		if err != nil {
			t.Fatal(err)
		}
		if r := server.Ask(t, s.UDP(), fmt.Sprintf("n%d.example.org", i), dns.TypeA); len(r.Answer) != 1 {
			t.Errorf("run %d: got %v, want an answer", i, r)
		}
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	}
}

// Without the wait for readiness an instance stopped this early keeps its
// sockets and the goroutines on them.
func TestAnInstanceStoppedAtOnceEnds(t *testing.T) {
	leak.Check(t)
	for range 20 {
		s, err := server.Try(marked(".:0", "one"))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAStoppedServerDoesNotReload(t *testing.T) {
	s, err := server.Try(marked(".:0", "one"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if err := s.Reload(marked(".:0", "two")); err == nil {
		t.Error("it reloaded")
	}
}

// Caddy's list would hold the last one, and with it forward's connection pool.
func TestAStoppedForwardIsCollected(t *testing.T) {
	for range 3 {
		t.Run("once more", func(t *testing.T) {
			leak.Check(t)
			server.Start(t, here(".:0", "forward . "+upstream.Closed(t)))
		})
	}
}

func TestForwardReachesTheFakeUpstreamOverEveryTransport(t *testing.T) {
	for _, transport := range []upstream.Transport{
		upstream.DNS, upstream.UDP, upstream.TLS, upstream.HTTPS, upstream.QUIC,
	} {
		t.Run(string(transport), func(t *testing.T) {
			leak.Check(t)
			up := upstream.Start(t, upstream.Config{Transport: transport})
			secure := ""
			if up.CAFile() != "" {
				secure = fmt.Sprintf("tls %s\n tls_servername %s\n", up.CAFile(), certificate.Name)
			}
			s := server.Start(t, here(".:0", fmt.Sprintf("forward . %s {\n %s }", up.To(), secure)))
			if r := server.Ask(t, s.UDP(), "www.example.org", dns.TypeA); len(r.Answer) != 1 {
				t.Errorf("got %v, want an answer", r)
			}
			up.Await(t, "www.example.org", 1, patience)
		})
	}
}

func TestTheGRPCPluginReachesTheFakeUpstream(t *testing.T) {
	for _, transport := range []upstream.Transport{upstream.GRPC, upstream.GRPCTLS} {
		t.Run(string(transport), func(t *testing.T) {
			up := upstream.Start(t, upstream.Config{Transport: transport})
			secure := ""
			if up.CAFile() != "" {
				secure = fmt.Sprintf("tls %s\n tls_servername %s\n", up.CAFile(), certificate.Name)
			}
			s := server.Start(t, here(".:0", fmt.Sprintf("grpc . %s {\n %s }", up.To(), secure)))
			if r := server.Ask(t, s.UDP(), "www.example.org", dns.TypeA); len(r.Answer) != 1 {
				t.Errorf("got %v, want an answer", r)
			}
		})
	}
}

func TestAFlawedCertificateFailsForward(t *testing.T) {
	for name, flaw := range map[string]certificate.Flaw{
		"unknown CA": certificate.UnknownCA, "wrong name": certificate.WrongName, "expired": certificate.Expired,
	} {
		t.Run(name, func(t *testing.T) {
			up := upstream.Start(t, upstream.Config{Transport: upstream.TLS, Certificate: flaw})
			s := server.Start(t, here(".:0", fmt.Sprintf("forward . %s {\n tls %s\n tls_servername %s\n max_fails 0\n }",
				up.To(), up.CAFile(), certificate.Name)))
			if r := server.Ask(t, s.UDP(), "www.example.org", dns.TypeA); r.Rcode != dns.RcodeServerFailure {
				t.Errorf("got %v, want SERVFAIL", r)
			}
			if got := up.Queries(); got != 0 {
				t.Errorf("%d queries got through, want none", got)
			}
		})
	}
}

// template writes its message and returns the failing rcode as well, upon which
// dnsserver's ServeDNS writes a bare reply of its own.
func TestDatagramsSeesTheSecondAnswer(t *testing.T) {
	s := server.Start(t, here(".:0", "template ANY ANY {\n rcode REFUSED\n }"))
	got := server.Datagrams(t, s.UDP(), server.Message("example.org", dns.TypeA), 2, silence)
	if len(got) != 2 {
		t.Errorf("%d answers, want the 2 of stock CoreDNS", len(got))
	}
	for _, r := range got {
		if r.Rcode != dns.RcodeRefused {
			t.Errorf("rcode %d, want REFUSED", r.Rcode)
		}
	}
}
