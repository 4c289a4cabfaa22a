package diagnosis_test

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/bed"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/transcript"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// shown is a failure that diagnosis explains, for docs/causes.md.
type shown struct {
	cause string
	// zone is the case of the bed that the upstream finds bogus.
	zone string
	// ahead is how far the bed's clock is behind this server's.
	ahead time.Duration
	// upstreams, instead of one for the bed, and more of the diagnose block.
	upstreams []dns.Handler
	more      string
	// handler is the upstream of a bed that is more than a resolver that fails
	// one name, and name what is asked in place of what the case or the rest ask.
	handler func(*testing.T, *bed.Bed) dns.Handler
	name    string
	// answers is how many other names are asked before, and then what is done
	// after them.
	answers int
	then    func()
	// tcp is true if the client asks over TCP.
	tcp bool
	// second is true where the diagnosis takes longer than an answer is held:
	// the second answer says so.
	second bool
}

func TestTheExamplesOfDiagnosisAreOfARun(t *testing.T) {
	const servers = "delegation 127.0.53.0/24\n"
	const twoNetworks = "delegation 127.0.53.0/24 127.0.54.0/24\n"
	for _, s := range []shown{
		{cause: "dnssec_bogus", zone: "bad-rrsig-a"},
		{cause: "dnssec_signature_expired", zone: "rrsig-exp-a"},
		{cause: "dnssec_signature_not_yet_valid", zone: "rrsig-not-yet-a"},
		{cause: "dnssec_expired_before_valid", zone: "rrsig-exp-before-a"},
		{cause: "dnssec_dnskey_missing", zone: "ds-bad-tag"},
		{cause: "dnssec_rrsigs_missing", zone: "rrsig-no-all"},
		{cause: "dnssec_no_zone_key", zone: "no-dnskey-256"},
		{cause: "dnssec_nsec_missing", zone: "nsec-missing"},
		{cause: "dnssec_unsupported_algorithm", zone: "unsupported-algo"},
		{cause: "dnssec_unsupported_digest", zone: "ds-unassigned-digest-algo"},
		{cause: "dnssec_nsec3_iterations", zone: "nsec3-iter-200"},
		{cause: "serial_mismatch", zone: "lagging", more: servers},
		{cause: "clock_wrong", zone: "bad-rrsig-a", ahead: 365 * 24 * time.Hour},
		{cause: "lame_delegation", zone: "lame", more: servers},
		{cause: "authority_unreachable", zone: "silent", more: twoNetworks, second: true},
		{cause: "upstream_refused_not_recursive", upstreams: []dns.Handler{dns.HandlerFunc(serveOnly)}},
		{cause: "upstream_at_fault", upstreams: []dns.Handler{failsZone(), upstream.Answer()}},
		{cause: "zone_at_fault", upstreams: []dns.Handler{failsZone(), failsZone()}},
	} {
		t.Run(s.cause, func(t *testing.T) { s.take(t) })
	}
}

func (s shown) take(t *testing.T) {
	logs := server.Capture(t)
	question, more := dns.Question{Name: "www.example.org.", Qtype: dns.TypeA}, s.more
	if s.zone != "" {
		cases := append(bed.All(),
			bed.Case{Name: "lagging", Before: twoServers(laggard), AtParent: func(parent, z *bed.Zone) { parent.AddServer(z, "ns2", laggard) }},
			bed.Case{Name: "lame", Before: bed.Unsigned, After: always(dns.RcodeRefused)},
			bed.Case{Name: "silent", Before: bed.Unsigned, After: always(-1), AtParent: func(parent, z *bed.Zone) { parent.AddServer(z, "ns2", "127.0.54.3") }})
		cases = slices.DeleteFunc(cases, func(c bed.Case) bool { return c.Name != s.zone })
		b := bed.New(t, time.Now().Add(-s.ahead), cases...)
		question = cases[0].Question()
		if s.more != "" {
			b.Listen(t, 53)
		}
		if s.zone == "lagging" {
			lag(t, b, cases[0].Question().Name)
		}
		fails := unchecked(question.Name)
		if s.zone == "lagging" {
			// The resolver asked the server that lags behind.
			fails = func(m *dns.Msg) bool {
				return dns.CanonicalName(m.Question[0].Name) == question.Name && m.Question[0].Qtype == question.Qtype
			}
		}
		s.upstreams = []dns.Handler{resolving(t, b, servfail(), fails)}
		if s.handler != nil {
			s.upstreams = []dns.Handler{s.handler(t, b)}
		}
		more += "trust_anchor " + anchorFile(t, b) + "\n"
	}
	if s.name != "" {
		question.Name = s.name
	}
	var addrs []string
	for _, h := range s.upstreams {
		addrs = append(addrs, upstream.Start(t, upstream.Config{Handler: h}).Addr())
	}
	diagnose := "diagnose {\n wait 2s\n " + more + "}\n"
	forward := "forward . " + strings.Join(addrs, " ") + "\n"
	if len(addrs) > 1 {
		forward = "forward . " + strings.Join(addrs, " ") + " {\n policy sequential\n }\n"
	}
	srv := server.Start(t, ".:0 {\n bind 127.0.0.1\n ede {\n "+diagnose+"}\n "+forward+"}\n")
	for i := range s.answers {
		server.Ask(t, srv.UDP(), fmt.Sprintf("n%d.example.org.", i), dns.TypeA)
	}
	if s.then != nil {
		s.then()
	}
	addr, args := srv.UDP(), []string{strings.TrimSuffix(question.Name, "."), dns.TypeToString[question.Qtype]}
	if s.tcp {
		addr, args = srv.TCP(), append(args, "+tcp")
	}
	if s.second {
		m := new(dns.Msg).SetQuestion(question.Name, question.Qtype)
		m.SetEdns0(1232, false)
		server.Query(t, addr, map[bool]string{true: "tcp", false: "udp"}[s.tcp], m)
		logs.WaitFor(t, "diagnosis cause="+s.cause, patience)
	}
	session := transcript.Session{
		Plugins: "ede {\n" + diagnose + "}\n" + forward, Addr: addr, Command: "dig", Args: args,
		Line: func(id string) string {
			return logs.WaitForFunc(t, func(text string) bool {
				return strings.Contains(text, " id="+id+" ") && strings.Contains(text, " cause="+s.cause+" ")
			}, patience)
		},
	}
	transcript.Check(t, "../../cmd/ede/causes/examples", s.cause, session.Take(t))
}

// failsZone answers all but the names of a zone.
func failsZone() dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		if dns.IsSubDomain("example.org.", m.Question[0].Name) {
			servfail().ServeDNS(w, m)
			return
		}
		upstream.Answer().ServeDNS(w, m)
	})
}

// serveOnly is an authoritative server: it answers for its zone and refuses all
// else.
func serveOnly(w dns.ResponseWriter, r *dns.Msg) {
	m := new(dns.Msg).SetRcode(r, dns.RcodeRefused)
	if q := r.Question[0]; q.Qtype == dns.TypeSOA && q.Name == "www.example.org." {
		m = new(dns.Msg).SetReply(r)
		m.Authoritative = true
		soa, _ := dns.NewRR(q.Name + " 60 IN SOA ns.example.org. hostmaster.example.org. 1 2 3 4 5")
		m.Answer = append(m.Answer, soa)
	}
	_ = w.WriteMsg(m)
}

// laggard is the address of a name server that lags behind.
const laggard = "127.0.53.5"

// twoServers has a zone, unsigned, list a second name server.
func twoServers(address string) func(*bed.Zone) {
	return func(z *bed.Zone) {
		bed.Unsigned(z)
		bed.Records("%s 300 IN NS ns2.%s", "ns2.%s 300 IN A "+address)(z)
	}
}

// lag serves the zone at the address laggard with the serial that it had once: it
// gives the SOA and fails all else.
func lag(t *testing.T, b *bed.Bed, zone string) {
	t.Helper()
	exchange := b.Exchange()
	serveAt(t, laggard+":53", dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg).SetRcode(r, dns.RcodeServerFailure)
		if q := r.Question[0]; q.Qtype == dns.TypeSOA && dns.CanonicalName(q.Name) == zone {
			known, err := exchange(t.Context(), q)
			if err != nil || len(known.Answer) == 0 {
				return
			}
			soa := dns.Copy(known.Answer[0]).(*dns.SOA)
			soa.Serial--
			m.Rcode, m.Authoritative, m.Answer = dns.RcodeSuccess, true, []dns.RR{soa}
		}
		if o := r.IsEdns0(); o != nil {
			m.SetEdns0(dns.DefaultMsgSize, o.Do())
		}
		_ = w.WriteMsg(m)
	}))
}

// serveAt serves at an address over UDP until the test ends.
func serveAt(t *testing.T, address string, h dns.Handler) {
	t.Helper()
	packets, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	s := &dns.Server{PacketConn: packets, Handler: h, NotifyStartedFunc: func() { close(started) }}
	go func() { _ = s.ActivateAndServe() }()
	<-started
	t.Cleanup(func() { _ = s.Shutdown() })
}
