package diagnosis_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

const patience = 30 * time.Second

func texts(m *dns.Msg) string {
	var all []string
	for _, e := range server.ExtendedErrors(m) {
		all = append(all, fmt.Sprintf("%d %s", e.InfoCode, e.ExtraText))
	}
	return strings.Join(all, "; ")
}

func TestOfTwoUpstreamsTheOneThatFailsIsNamed(t *testing.T) {
	logs := server.Capture(t)
	broken := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(dns.RcodeServerFailure, true)})
	good := upstream.Start(t, upstream.Config{Handler: upstream.Answer()})
	s := server.Start(t, fmt.Sprintf(`.:0 {
		bind 127.0.0.1
		ede {
			text full
			diagnose {
				wait 2s
			}
		}
		forward . %s %s {
			policy sequential
		}
	}`, broken.Addr(), good.Addr()))
	reply := askHeld(t, s.UDP(), "www.example.org.", dns.TypeA)
	if got := texts(reply); !strings.HasPrefix(got, "0 ") || !strings.Contains(got, broken.Addr()) || !strings.Contains(got, good.Addr()+": NOERROR") {
		t.Errorf("got %q", got)
	}
	line := logs.WaitFor(t, "diagnosis cause=upstream_at_fault", patience)
	if !strings.Contains(line, "failover SERVFAIL") {
		t.Errorf("the advice does not name the Corefile line: %s", line)
	}
}

func TestWithoutWaitTheSecondAnswerHasTheReason(t *testing.T) {
	logs := server.Capture(t)
	broken := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(dns.RcodeServerFailure, true)})
	good := upstream.Start(t, upstream.Config{Handler: upstream.Answer()})
	s := server.Start(t, fmt.Sprintf(`.:0 {
		bind 127.0.0.1
		ede {
			diagnose
		}
		cache
		forward . %s %s {
			policy sequential
		}
	}`, broken.Addr(), good.Addr()))
	first := server.Ask(t, s.UDP(), "www.example.org.", dns.TypeA, server.EDNS())
	if got := texts(first); !strings.Contains(got, "without a reason") {
		t.Errorf("first answer: %q", got)
	}
	logs.WaitFor(t, "diagnosis cause=upstream_at_fault", patience)
	second := server.Ask(t, s.UDP(), "www.example.org.", dns.TypeA, server.EDNS())
	if got := texts(second); !strings.Contains(got, "other resolvers answer") || !strings.Contains(got, "(cached, found ") {
		t.Errorf("second answer, from cache: %q", got)
	}
}

func TestAReasonIsForgottenWhenTheNameResolvesAgain(t *testing.T) {
	logs := server.Capture(t)
	broken := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(dns.RcodeServerFailure, true)})
	good := upstream.Start(t, upstream.Config{Handler: upstream.Answer()})
	s := server.Start(t, fmt.Sprintf(`.:0 {
		bind 127.0.0.1
		ede {
			diagnose {
				wait 2s
			}
		}
		forward . %s %s {
			policy sequential
		}
	}`, broken.Addr(), good.Addr()))
	server.Ask(t, s.UDP(), "www.example.org.", dns.TypeA, server.EDNS())
	logs.WaitFor(t, "diagnosis cause=upstream_at_fault", patience)
	broken.Handle(upstream.Answer())
	if r := server.Ask(t, s.UDP(), "www.example.org.", dns.TypeA, server.EDNS()); r.Rcode != dns.RcodeSuccess {
		t.Fatalf("got %s", dns.RcodeToString[r.Rcode])
	}
	// The answer leaves before ede takes note of it.
	logs.WaitFor(t, "recovered", patience)
	broken.Handle(upstream.Rcode(dns.RcodeServerFailure, true))
	good.Handle(upstream.Rcode(dns.RcodeServerFailure, true))
	if got := texts(server.Ask(t, s.UDP(), "www.example.org.", dns.TypeA, server.EDNS())); strings.Contains(got, "other resolvers answer") {
		t.Errorf("what was true before is said again: %q", got)
	}
}

// A validating upstream that fails a private zone says nothing about the public
// tree, and the public tree nothing about the zone.
func TestANameOfAConditionalForwardIsNeverCalledBogus(t *testing.T) {
	for name, corefile := range map[string]string{
		"zone of the server block": `corp.example.org:0 {
			bind 127.0.0.1
			ede {
				diagnose {
					wait 2s
				}
			}
			forward . %s
		}`,
		"zone of the forward": `.:0 {
			bind 127.0.0.1
			ede {
				diagnose {
					wait 2s
				}
			}
			forward corp.example.org %s
		}`,
	} {
		t.Run(name, func(t *testing.T) {
			logs := server.Capture(t)
			u := upstream.Start(t, upstream.Config{Handler: upstream.CDDependent()})
			s := server.Start(t, fmt.Sprintf(corefile, u.Addr()))
			reply := server.Ask(t, s.UDP(), "www.corp.example.org.", dns.TypeA, server.EDNS())
			logs.WaitFor(t, "diagnosis ", patience)
			for _, e := range server.ExtendedErrors(reply) {
				if e.InfoCode != 0 {
					t.Errorf("got %s", texts(reply))
				}
			}
		})
	}
}

func TestAnAnswerToAProbeWithCDNeverReachesAClient(t *testing.T) {
	u := upstream.Start(t, upstream.Config{Handler: upstream.CDDependent()})
	s := server.Start(t, fmt.Sprintf(`.:0 {
		bind 127.0.0.1
		ede {
			diagnose {
				wait 2s
			}
		}
		cache
		forward . %s
	}`, u.Addr()))
	for range 3 {
		reply := server.Ask(t, s.UDP(), "www.example.org.", dns.TypeA, server.EDNS())
		if reply.Rcode != dns.RcodeServerFailure || len(reply.Answer) > 0 {
			t.Fatalf("a client without CD got %s", reply)
		}
	}
}

func TestAnAuthoritativeOnlyUpstreamIsToldFromOneThatRefusesUs(t *testing.T) {
	authoritative := dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg).SetRcode(r, dns.RcodeRefused)
		if dns.IsSubDomain("served.example.org.", r.Question[0].Name) || r.Question[0].Qtype == dns.TypeSOA && r.Question[0].Name == "www.example.org." {
			m = new(dns.Msg).SetReply(r)
			m.Authoritative = true
			soa, _ := dns.NewRR(r.Question[0].Name + " 60 IN SOA ns.example.org. hostmaster.example.org. 1 2 3 4 5")
			m.Answer = append(m.Answer, soa)
		}
		_ = w.WriteMsg(m)
	})
	for name, c := range map[string]struct {
		handler dns.Handler
		code    uint16
	}{
		"authoritative only": {authoritative, 20},
		"access list":        {upstream.Rcode(dns.RcodeRefused, true), 0},
	} {
		t.Run(name, func(t *testing.T) {
			u := upstream.Start(t, upstream.Config{Handler: c.handler})
			s := server.Start(t, fmt.Sprintf(`.:0 {
				bind 127.0.0.1
				ede {
					diagnose {
						wait 2s
					}
				}
				forward . %s
			}`, u.Addr()))
			reply := askHeld(t, s.UDP(), "www.example.org.", dns.TypeA)
			if codes := codesOf(reply); reply.Rcode != dns.RcodeRefused || len(codes) == 0 || codes[0] != c.code {
				t.Errorf("got %s, want code %d", texts(reply), c.code)
			}
		})
	}
}
