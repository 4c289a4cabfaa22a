package test_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/transcript"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// examples is where the examples of the causes are kept.
const examples = "../cmd/ede/causes/examples"

// shown are the scenes that stand for their cause in docs/causes.md, where it is
// not the first one.
var shown = map[string]string{
	"backend_not_ready":   "the store of a dynamic zone cannot be opened",
	"backend_unreachable": "nomad does not answer",
	"upstream_closed":     "an upstream that closes a TLS connection after the query",
	"upstream_refused":    "REFUSED without RA",
	"template_rcode":      "a template with rcode REFUSED and a reason",
	"update_denied":       "an update with a key that may not",
}

// undigged are the causes whose query dig cannot make.
var undigged = map[string]string{
	"client_malformed":     "dig cannot send such a query: it always puts an SOA into an IXFR",
	"transfer_unsupported": "dig cannot ask so: it transfers over TCP",
}

func TestTheExamplesOfTheCausesAreOfARun(t *testing.T) {
	logs := server.Capture(t)
	taken := make(map[string]bool)
	for _, sc := range slices.Concat(append(scenes, single)...) {
		if name := shown[sc.cause]; taken[sc.cause] || name != "" && name != sc.name {
			continue
		}
		taken[sc.cause] = true
		t.Run(sc.cause, func(t *testing.T) {
			if sc.cause != "forward_loop" {
				// A process knows itself by the listeners of the server that started last.
				t.Parallel()
			}
			sc.show(t, logs)
		})
	}
	for cause := range shown {
		if !taken[cause] {
			t.Errorf("no scene for the example of %s", cause)
		}
	}
}

// show plays the scene once for dig and keeps what there is to be seen.
func (sc scene) show(t *testing.T, logs *server.Logs) {
	if !strings.HasPrefix(sc.under, "=") {
		sc.under = "=www." + cmp.Or(sc.under, "example.org.")
	}
	st := sc.stage(t)
	if st.port == "" {
		st.port = "0"
	}
	s := server.Start(t, here(".:"+st.port, "ede", st.plugins)+st.after)
	if st.ready != nil {
		st.ready(t, s)
	}
	m := sc.query(0)
	name, addr := m.Question[0].Name, s.UDP(".")
	plugins := st.plugins
	if strings.HasPrefix(plugins, "fault ") {
		plugins = "# a plugin that CoreDNS does not ship\n" + plugins
	}
	session := transcript.Session{
		Plugins: plugins, Addr: addr, Command: "dig",
		Args: []string{strings.TrimSuffix(name, "."), dns.TypeToString[m.Question[0].Qtype]},
	}
	if sc.network == "tcp" {
		session.Addr = s.TCP(".")
		if m.Question[0].Qtype != dns.TypeAXFR {
			session.Args = append(session.Args, "+tcp")
		}
	}
	if why := undigged[sc.cause]; why != "" {
		session.Note, session.Ask = why, func() { ask(t, "127.0.0.1", cmp.Or(sc.network, "udp"), session.Addr, m) }
	}
	if m.Opcode == dns.OpcodeUpdate {
		session.Command, session.Args = "nsupdate", nil
		session.Input = "zone " + name + "\nupdate add new." + name + " 60 A 192.0.2.77\n"
		if m.IsTsig() != nil {
			session.Args = []string{"-y", "hmac-sha256:" + keyName + ":" + keySecret}
		}
	}
	session.Line = func(id string) string {
		return logs.WaitForFunc(t, func(text string) bool {
			return (id == "" || strings.Contains(text, " id="+id+" ")) && strings.Contains(text, "plugin/ede: rcode=") && strings.Contains(text, " cause="+sc.cause+" ") &&
				strings.Contains(text, " at="+sc.at+" ") && strings.Contains(text, " qname="+name+" ") &&
				strings.Contains(text, " upstream="+st.upstream+" ") == (st.upstream != "")
		}, patience)
	}
	transcript.Check(t, examples, sc.cause, session.Take(t))
}

// single are the failures that need more than a query, shown once; tests of their
// own look closer.
var single = []scene{
	{
		cause: "no_healthy_upstream", at: "forward",
		stage: func(t *testing.T) stage {
			return stage{
				plugins: fmt.Sprintf("forward . %s %s {\n max_fails 1\n health_check 50ms\n failfast_all_unhealthy_upstreams\n }", upstream.Closed(t), upstream.Closed(t)),
				ready: func(t *testing.T, s *server.Server) {
					for tries := range 200 {
						r := server.Query(t, s.UDP(), "udp", query(fmt.Sprintf("down%d.example.org", tries)))
						if got := errorsOf(r); len(got) > 0 && strings.HasPrefix(got[0], "22") {
							return
						}
						<-time.After(silence / 2)
					}
					t.Fatal("the upstreams are never taken to be down")
				},
			}
		},
	},
	{
		cause: "concurrency_limit", at: "forward",
		stage: func(t *testing.T) stage {
			handler, release := held()
			up := upstream.Start(t, upstream.Config{Handler: handler})
			return stage{
				plugins: forward(up.Addr(), "max_concurrent 1", "read_timeout 1m"),
				ready: func(t *testing.T, s *server.Server) {
					ended := make(chan struct{})
					go func() {
						defer close(ended)
						_, _ = server.Exchange(s.UDP(), "udp", query("slow.example.org"), time.Minute)
					}()
					t.Cleanup(func() { release(); <-ended })
					up.Await(t, "slow.example.org", 1, patience)
				},
			}
		},
	},
	{
		cause: "forward_loop", at: "forward",
		stage: func(t *testing.T) stage {
			addr := upstream.Closed(t)
			_, port, _ := strings.Cut(addr, ":")
			return stage{plugins: forward(addr, "max_concurrent 5", patiently), port: port, upstream: addr}
		},
	},
	{
		cause: "panic", at: "dns64", stage: plain("dns64 {\n allow_ipv4\n }"), message: asked(dns.TypeAAAA),
	},
	{
		cause: "cached_failure", at: "cache",
		stage: func(t *testing.T) stage {
			up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true)})
			return stage{
				plugins: "cache {\n servfail 5m\n }\n" + forward(up.Addr()),
				ready: func(t *testing.T, s *server.Server) {
					// It resolves for clients with DO, which cache keeps apart.
					server.Query(t, s.UDP(), "udp", query("www.example.org"))
					up.Handle(upstream.Answer())
					server.Query(t, s.UDP(), "udp", query("www.example.org", server.DO()))
				},
			}
		},
	},
}
