package diagnosis_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/bed"
	"github.com/seed-1b7246af/coredns-ede/test/certificate"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// start runs a server block whose ede diagnoses with the anchor of a bed.
func start(t *testing.T, b *bed.Bed, plugins string) *server.Server {
	t.Helper()
	return server.Start(t, fmt.Sprintf(`.:0 {
		bind 127.0.0.1
		ede {
			log all
			diagnose {
				wait 2s
				trust_anchor %s
			}
		}
		%s
	}`, anchorFile(t, b), plugins))
}

// What the client asks for is an alias of this server's own zone; what fails, and
// is diagnosed, is its target.
func TestTheTargetOfAnAliasIsDiagnosed(t *testing.T) {
	b := bed.New(t, time.Now(), expired("target"))
	u := upstream.Start(t, upstream.Config{Handler: resolving(t, b, servfail(), unchecked("target.edetest."))})
	zone := filepath.Join(t.TempDir(), "zone")
	text := "@ 3600 IN SOA ns hostmaster 1 3600 900 604800 300\n@ IN NS ns\nns IN A 192.0.2.53\nalias IN CNAME target.edetest.\n"
	if err := os.WriteFile(zone, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	logs := server.Capture(t)
	s := start(t, b, fmt.Sprintf("file %s example.org\nforward . %s", zone, u.Addr()))
	reply := askHeld(t, s.UDP(), "alias.example.org.", dns.TypeA)
	if codes := codesOf(reply); len(codes) != 1 || codes[0] != 7 {
		t.Errorf("got %s, want 7", texts(reply))
	}
	line := logs.WaitFor(t, "cause=cname_target_failed", patience)
	for _, want := range []string{"ede=7", "at=file", "owner=zone", "qname=alias.example.org.", "target.edetest. A by key"} {
		if !strings.Contains(line, want) {
			t.Errorf("the line lacks %q: %s", want, line)
		}
	}
}

func TestAnUpstreamOfGRPCIsAskedThroughItsOwnClient(t *testing.T) {
	b := bed.New(t, time.Now(), expired("target"))
	handler := resolving(t, b, servfail(), unchecked("target.edetest."))
	for _, transport := range []upstream.Transport{upstream.GRPC, upstream.GRPCTLS} {
		t.Run(string(transport), func(t *testing.T) {
			u := upstream.Start(t, upstream.Config{Transport: transport, Handler: handler})
			plugin := "grpc . " + u.Addr()
			if file := u.CAFile(); file != "" {
				plugin += " {\n tls " + file + "\n tls_servername " + certificate.Name + "\n }"
			}
			reply := askHeld(t, start(t, b, plugin).UDP(), "target.edetest.", dns.TypeA)
			if codes := codesOf(reply); len(codes) != 1 || codes[0] != 7 {
				t.Errorf("got %s, want 7", texts(reply))
			}
		})
	}
}

// Probes go the way of forward's own queries.
func TestProbesGoOverTheTransportOfForward(t *testing.T) {
	b := bed.New(t, time.Now(), expired("target"))
	handler := resolving(t, b, servfail(), unchecked("target.edetest."))
	for _, transport := range []upstream.Transport{upstream.DNS, upstream.TCP, upstream.TLS, upstream.HTTPS, upstream.QUIC} {
		t.Run(string(transport), func(t *testing.T) {
			u := upstream.Start(t, upstream.Config{Transport: transport, Handler: handler})
			plugin := "forward . " + u.To() + " {\n max_fails 0\n"
			if transport == upstream.TCP {
				plugin += "force_tcp\n"
			}
			if file := u.CAFile(); file != "" {
				plugin += " tls " + file + "\n tls_servername " + certificate.Name + "\n"
			}
			reply := askHeld(t, start(t, b, plugin+"}").UDP(), "target.edetest.", dns.TypeA)
			if codes := codesOf(reply); len(codes) != 1 || codes[0] != 7 {
				t.Errorf("got %s, want 7", texts(reply))
			}
		})
	}
}

// Of several upstreams grpc does not tell which one failed, and the wrong one may
// not be asked.
func TestOfSeveralUpstreamsOfGRPCNoneIsAsked(t *testing.T) {
	b := bed.New(t, time.Now(), expired("target"))
	handler := resolving(t, b, servfail(), unchecked("target.edetest."))
	one, two := upstream.Start(t, upstream.Config{Transport: upstream.GRPC, Handler: handler}), upstream.Start(t, upstream.Config{Transport: upstream.GRPC, Handler: handler})
	s := start(t, b, "grpc . "+one.Addr()+" "+two.Addr())
	reply := server.Ask(t, s.UDP(), "target.edetest.", dns.TypeA, server.EDNS())
	if codes := codesOf(reply); len(codes) != 1 || codes[0] != 0 {
		t.Errorf("got %s, want 0", texts(reply))
	}
	if n := one.Queries() + two.Queries(); n != 1 {
		t.Errorf("%d queries came, want the client's alone", n)
	}
}

// A resolver may try a broken zone for longer than forward waits.
func TestAnUpstreamThatOnlyThisQuestionKeepsBusyIsTold(t *testing.T) {
	b := bed.New(t, time.Now(), expired("target"), bed.Case{Name: "valid"})
	for name, test := range map[string]struct {
		silent func(*dns.Msg) bool
		ask    string
		code   uint16
		log    string
	}{
		"it answers with CD=1, and the zone is bogus":       {unchecked("target.edetest."), "target.edetest.", 23, "or its validation takes too long"},
		"it answers with CD=1, and the zone is in order":    {unchecked("valid.edetest."), "valid.edetest.", 23, "result=undecided"},
		"it answers a control question only":                {func(m *dns.Msg) bool { return m.Question[0].Name != "." }, "target.edetest.", 23, "and not this question in time"},
		"it answers nothing, so that nothing can be judged": {func(*dns.Msg) bool { return true }, "target.edetest.", 23, "does not answer for the root in time either"},
	} {
		t.Run(name, func(t *testing.T) {
			logs := server.Capture(t)
			u := upstream.Start(t, upstream.Config{Handler: resolving(t, b, upstream.Silent(), test.silent)})
			s := start(t, b, "forward . "+u.Addr()+" {\n max_fails 0\n }")
			reply := server.Ask(t, s.UDP(), test.ask, dns.TypeA, server.EDNS())
			if codes := codesOf(reply); len(codes) != 1 || codes[0] != test.code {
				t.Errorf("got %s, want %d", texts(reply), test.code)
			}
			logs.WaitFor(t, test.log, patience)
		})
	}
}

// A specific code of the upstream stays, unless validation here proves another one:
// then that stands, and the log says what the upstream said.
func TestADisagreementWithTheUpstreamIsLogged(t *testing.T) {
	b := bed.New(t, time.Now(), expired("target"), bed.Case{Name: "valid"})
	for name, test := range map[string]struct {
		ask  string
		code uint16
		log  string
	}{
		"another code":               {"target.edetest.", 9, "the upstream says 9 DNSKEY Missing, found here is 7 Signature Expired: RRSIG of target.edetest. A by key"},
		"the chain validates":        {"valid.edetest.", 9, "the upstream says 9 DNSKEY Missing, found here is secure: valid.edetest. A validates"},
		"the same code":              {"target.edetest.", 7, ""},
		"a code that is no DNSSEC's": {"target.edetest.", 22, ""},
	} {
		t.Run(name, func(t *testing.T) {
			logs := server.Capture(t)
			says := servfail(dns.EDNS0_EDE{InfoCode: test.code, ExtraText: "so it is"})
			u := upstream.Start(t, upstream.Config{Handler: resolving(t, b, says, unchecked(test.ask))})
			s := start(t, b, "forward . "+u.Addr())
			reply := askHeld(t, s.UDP(), test.ask, dns.TypeA)
			proved := name == "another code"
			want, cause := fmt.Sprintf("%d from upstream: so it is", test.code), "cause=upstream_ede"
			if proved {
				want, cause = "7 RRSIG of target.edetest. A by key ", "cause=dnssec_signature_expired"
			}
			if got := texts(reply); got != want && !(proved && strings.HasPrefix(got, want)) {
				t.Errorf("got %q, want %q", got, want)
			}
			if test.log == "" {
				s.Stop()
				if text := logs.Matching("disagrees"); len(text) > 0 {
					t.Errorf("there is no disagreement: %s", text)
				}
				return
			}
			line := logs.WaitFor(t, "result=disagrees", patience)
			for _, want := range []string{cause, "result=disagrees", test.log} {
				if !strings.Contains(line, want) {
					t.Errorf("the line lacks %q: %s", want, line)
				}
			}
		})
	}
}

// An upstream that keeps the data to itself, next to one that does not.
func TestWhatOneUpstreamWithholdsAnotherMayGive(t *testing.T) {
	b := bed.New(t, time.Now(), expired("target"))
	withholds := func(m *dns.Msg) bool {
		return dns.CanonicalName(m.Question[0].Name) == "target.edetest." && m.Question[0].Qtype == dns.TypeA
	}
	closed := upstream.Start(t, upstream.Config{Handler: resolving(t, b, servfail(), withholds)})
	open := upstream.Start(t, upstream.Config{Handler: resolving(t, b, servfail(), unchecked("target.edetest."))})
	for name, test := range map[string]struct {
		upstreams string
		code      uint16
		log       string
	}{
		"alone":        {closed.Addr(), 0, "target.edetest. A was answered SERVFAIL even with CD=1"},
		"with another": {closed.Addr() + " " + open.Addr(), 7, "diagnosis cause=dnssec_signature_expired"},
	} {
		t.Run(name, func(t *testing.T) {
			logs := server.Capture(t)
			s := start(t, b, "forward . "+test.upstreams+" {\n policy sequential\n }")
			reply := askHeld(t, s.UDP(), "target.edetest.", dns.TypeA)
			if codes := codesOf(reply); len(codes) != 1 || codes[0] != test.code {
				t.Errorf("got %s, want %d", texts(reply), test.code)
			}
			logs.WaitFor(t, test.log, patience)
		})
	}
}

// One child with a broken DS says nothing of the other zones of its parent.
func TestABrokenDSIsNoFaultOfTheParentsOtherZones(t *testing.T) {
	unsigned := bed.Case{Name: "unsigned-ds", AtParent: func(p, z *bed.Zone) { delete(p.Sigs[z.Name], dns.TypeDS) }}
	b := bed.New(t, time.Now(), unsigned, expired("target"))
	u := upstream.Start(t, upstream.Config{Handler: resolving(t, b, servfail(), unchecked("unsigned-ds.edetest.", "www.unsigned-ds.edetest.", "target.edetest."))})
	s := start(t, b, "forward . "+u.Addr())
	for _, c := range []struct {
		ask  string
		code uint16
	}{{"unsigned-ds.edetest.", 10}, {"www.unsigned-ds.edetest.", 10}, {"target.edetest.", 7}} {
		if reply := askHeld(t, s.UDP(), c.ask, dns.TypeA); len(codesOf(reply)) != 1 || codesOf(reply)[0] != c.code {
			t.Errorf("%s: got %s, want %d", c.ask, texts(reply), c.code)
		}
	}
}
