package diagnosis_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/seed-1b7246af/coredns-ede/plugin/exchange"
	"github.com/seed-1b7246af/coredns-ede/test/bed"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// counted reads a counter by the value of its one label.
func counted(t *testing.T, name string) map[string]int {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]int)
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			values[m.GetLabel()[0].GetValue()] = int(m.GetCounter().GetValue())
		}
	}
	return values
}

func TestWhatIsNotDiagnosedIsCountedByReason(t *testing.T) {
	logs := server.Capture(t)
	// It fails these names and nothing else, so that nobody is convicted.
	u := upstream.Start(t, upstream.Config{Handler: dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		r := new(dns.Msg).SetReply(m)
		r.RecursionAvailable = true
		if dns.IsSubDomain("example.org.", m.Question[0].Name) {
			r.Rcode = dns.RcodeServerFailure
		}
		_ = w.WriteMsg(r)
	})})
	s := server.Start(t, fmt.Sprintf(`.:0 {
		bind 127.0.0.1
		ede {
			diagnose {
				rate 2 4
			}
		}
		forward . %s
	}`, u.Addr()))
	const skipped = "coredns_ede_diagnoses_skipped_total"
	before := counted(t, skipped)
	for i := range 2 {
		name := fmt.Sprintf("n%d.example.org.", i)
		server.Ask(t, s.UDP(), name, dns.TypeA)
		logs.WaitForFunc(t, func(text string) bool {
			return strings.Contains(text, "plugin/ede: diagnosis ") && strings.Contains(text, " qname="+name)
		}, patience)
	}
	// So many in a second that the rate leaves nothing for most of them.
	asked, after := 2, before
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		for _, name := range []string{"n1.example.org.", fmt.Sprintf("n%d.example.org.", asked)} {
			server.Ask(t, s.UDP(), name, dns.TypeA)
			asked++
		}
		if after = counted(t, skipped); after["rate"] > before["rate"] {
			break
		}
	}
	known, rate := after["known"]-before["known"], after["rate"]-before["rate"]
	// What an earlier diagnosis has words for is not begun again, and is no skip.
	if rate < 1 || known+rate > asked {
		t.Errorf("%d known, %d over the rate, of %d", known, rate, asked)
	}
	for reason := range after {
		switch reason {
		case "running", "known", "rate", "busy", "silent", "stopping", "no_upstream":
		default:
			t.Errorf("%q is a reason that no document names", reason)
		}
	}
}

// Probes take none of the places that forward's max_concurrent has for clients, and
// no more of their own than there are.
func TestProbesLeaveRoomForClients(t *testing.T) {
	var now, most atomic.Int64
	release := make(chan struct{})
	slow := dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		if m.CheckingDisabled {
			n := now.Add(1)
			defer now.Add(-1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			<-release
		}
		upstream.Rcode(dns.RcodeServerFailure, true).ServeDNS(w, m)
	})
	u := upstream.Start(t, upstream.Config{Handler: slow})
	defer close(release)
	s := server.Start(t, fmt.Sprintf(`.:0 {
		bind 127.0.0.1
		ede {
			diagnose {
				rate 1000 64
			}
		}
		forward . %s {
			max_concurrent 1
		}
	}`, u.Addr()))
	for i := range 40 {
		reply := server.Ask(t, s.UDP(), fmt.Sprintf("n%d.example.org.", i), dns.TypeA, server.EDNS())
		if reply.Rcode != dns.RcodeServerFailure {
			t.Fatalf("client %d got %s %s: probes have taken its place", i, dns.RcodeToString[reply.Rcode], texts(reply))
		}
	}
	for deadline := time.Now().Add(patience); most.Load() < 1 && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond) // the first diagnosis begins while the clients ask
	}
	if n := most.Load(); n < 1 || n > exchange.MaxProbes {
		t.Errorf("%d probes at once, want 1 to %d", n, exchange.MaxProbes)
	}
}

// What is not to be diagnosed: the upstream hears the client's query alone.
func TestSomeFailuresAreNeverDiagnosed(t *testing.T) {
	for name, test := range map[string]struct {
		ask     string
		qtype   uint16
		options []server.Option
	}{
		"a name under except":             {"www.except.example.org.", dns.TypeA, []server.Option{server.EDNS()}},
		"a query with CD, as a probe has": {"www.example.org.", dns.TypeA, []server.Option{server.EDNS(), server.CD()}},
		"a notification":                  {"example.org.", dns.TypeSOA, []server.Option{server.With(func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify })}},
		"a transfer":                      {"example.org.", dns.TypeAXFR, []server.Option{server.EDNS()}},
		"a query without RD":              {"www.example.org.", dns.TypeA, []server.Option{server.EDNS(), server.With(func(m *dns.Msg) { m.RecursionDesired = false })}},
		"a query of the class CH":         {"version.bind.", dns.TypeTXT, []server.Option{server.EDNS(), server.With(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS })}},
		"a probe of the loop plugin":      {"4711.815.", dns.TypeHINFO, nil},
	} {
		t.Run(name, func(t *testing.T) {
			u := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(dns.RcodeServerFailure, true)})
			s := server.Start(t, fmt.Sprintf(`.:0 {
				bind 127.0.0.1
				ede {
					except except.example.org
					diagnose {
						wait 2s
					}
				}
				forward . %s
			}`, u.Addr()))
			server.Ask(t, s.UDP(), test.ask, test.qtype, test.options...)
			if err := s.Stop(); err != nil {
				t.Fatal(err)
			}
			if n := u.Queries(); n != 1 {
				t.Errorf("%d queries came, want the client's alone", n)
			}
		})
	}
}

// Names that fail faster than diagnoses may start: an answer that is held waits for
// its turn as well.
func TestAnAnswerThatIsHeldWaitsForItsTurn(t *testing.T) {
	const zones, perSecond = 12, 5
	var cases []bed.Case
	var names []string
	for i := range zones {
		cases = append(cases, expired(fmt.Sprintf("z%d", i)))
		names = append(names, fmt.Sprintf("z%d.edetest.", i))
	}
	b := bed.New(t, time.Now(), cases...)
	u := upstream.Start(t, upstream.Config{Handler: resolving(t, b, servfail(), unchecked(names...))})
	s := start(t, b, "forward . "+u.Addr())
	began := time.Now()
	for _, name := range names {
		if reply := askHeld(t, s.UDP(), name, dns.TypeA); len(codesOf(reply)) != 1 || codesOf(reply)[0] != 7 {
			t.Errorf("%s: got %s, want 7", name, texts(reply))
		}
	}
	// The first five at once, and then one after the other.
	if least := (zones - perSecond - 1) * time.Second / perSecond; time.Since(began) < least {
		t.Errorf("%d diagnoses in %v: more than %d a second", zones, time.Since(began), perSecond)
	}
}
