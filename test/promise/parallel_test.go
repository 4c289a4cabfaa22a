package promise_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/seed-1b7246af/coredns-ede/test/plugins"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

var million = flag.Bool("million", false, "ask a million queries of a plugin that asks the next one in parallel")

const (
	seed    = 8914
	workers = 8
	voices  = 2
)

// TestParallelPluginsMixNothing asks through a plugin that asks the next one
// several times at once, in both ways, over two upstreams with different EDEs:
// nothing crashes or races, and no answer, line or metric has the EDE of the
// other one.
func TestParallelPluginsMixNothing(t *testing.T) {
	n := 20_000
	if *million {
		n = 1_000_000
	}
	logs := server.Capture(t)
	for _, how := range []string{"all", "first"} {
		for name, above := range map[string]string{"bare": "", "with a rewrite": "rewrite name suffix .example.org .example.net\nmetadata\n"} {
			t.Run(how+" "+name, func(t *testing.T) {
				entrance := t.Name()
				s := server.Start(t, here(fmt.Sprintf("entrance %q", entrance), "ede {\n log all\n text full\n }",
					fmt.Sprintf("parallel %s %d", how, voices), above, fmt.Sprintf("voices %d", voices)))
				server.Query(t, s.UDP(), "udp", interest("first.example.org."))
				core := plugins.Entrance(entrance)
				if core == nil {
					t.Fatal("no query came to the entrance")
				}
				before := optionsCounted(t)
				heard := flock(t, n/4, func(r *rand.Rand, m *dns.Msg) *dns.Msg { return call(core, m) })
				heard.check(t, logs, before, nil)
			})
		}
	}
}

// TestParallelPluginsMixNothingOfRealUpstreams is the same over sockets and
// forward, which names its upstream in the metadata that all share.
func TestParallelPluginsMixNothingOfRealUpstreams(t *testing.T) {
	logs := server.Capture(t)
	for _, how := range []string{"all", "first"} {
		t.Run(how, func(t *testing.T) {
			var addrs []string
			for number := range voices {
				addrs = append(addrs, said(t, dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) { _ = w.WriteMsg(plugins.Voice(m, number)) })))
			}
			s := server.Start(t, here("ede {\n log all\n text full\n }", fmt.Sprintf("parallel %s %d", how, voices),
				forward(strings.Join(addrs, " "), "policy round_robin")))
			before := optionsCounted(t)
			heard := flock(t, 2000, func(_ *rand.Rand, m *dns.Msg) *dns.Msg {
				r, err := server.Exchange(s.UDP(), "udp", m, patience)
				if err != nil {
					t.Errorf("%s: %v", m.Question[0].Name, err)
				}
				return r
			})
			heard.check(t, logs, before, addrs)
		})
	}
}

// Where one upstream answers and the other does not exist, the answer is stock's,
// and what becomes of the other is nobody's concern.
func TestParallelPluginsGiveTheGoodAnswer(t *testing.T) {
	server.Capture(t)
	s := server.Start(t, here("ede", "parallel all 4", forward(upstream.Closed(t)+" "+said(t, upstream.Answer()), "policy round_robin")))
	for i := range 200 {
		r := server.Query(t, s.UDP(), "udp", interest(fmt.Sprintf("good%d.example.org.", i)))
		if r.Rcode != dns.RcodeSuccess || len(r.Answer) != 1 || len(server.ExtendedErrors(r)) != 0 {
			t.Fatalf("got %v, want the answer", r)
		}
	}
}

// heard is whose answer each name got.
type heard struct {
	prefix  string
	voices  []int8
	options map[string]float64
}

// flock asks n names from several goroutines and expects of each answer that all
// of its reasons are those of the upstream whose answer it is.
func flock(t *testing.T, n int, ask func(*rand.Rand, *dns.Msg) *dns.Msg) heard {
	t.Helper()
	h := heard{prefix: fmt.Sprintf("v%x-", rand.Uint32()), voices: make([]int8, n), options: make(map[string]float64)}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(w)))
			counted := make(map[string]float64)
			for i := w; i < n && !t.Failed(); i += workers {
				m := interest(h.prefix + strconv.Itoa(i) + ".example.org.")
				if r.IntN(4) == 0 {
					m.SetEdns0(uint16(512+r.IntN(4096)), r.IntN(2) == 0)
				}
				m.CheckingDisabled = r.IntN(2) == 0
				a := ask(r, m)
				if a == nil {
					t.Errorf("no answer to %v", m)
					return
				}
				voice, wrong := voiceOf(a)
				if wrong != "" {
					t.Errorf("%s\n%v", wrong, a)
					return
				}
				h.voices[i] = int8(voice)
				for _, e := range server.ExtendedErrors(a) {
					counted[strconv.Itoa(int(e.InfoCode))]++
				}
			}
			mu.Lock()
			defer mu.Unlock()
			for code, n := range counted {
				h.options[code] += n
			}
		})
	}
	wg.Wait()
	return h
}

// voiceOf returns whose answer m is, and what is wrong with its reasons.
func voiceOf(m *dns.Msg) (voice int, wrong string) {
	if m.Rcode != dns.RcodeServerFailure || len(m.Ns) != 1 {
		return 0, "this is no upstream's answer"
	}
	record, ok := m.Ns[0].(*dns.SOA)
	if !ok {
		return 0, "this is no upstream's answer"
	}
	voice = int(record.Serial)
	all := server.ExtendedErrors(m)
	if len(all) == 0 {
		return voice, "the upstream's reason is lost"
	}
	for _, e := range all {
		if e.InfoCode != plugins.FirstVoice+uint16(voice) || !strings.Contains(e.ExtraText, fmt.Sprintf("voice %d", voice)) {
			wrong = fmt.Sprintf("the answer of voice %d has the reason %v", voice, e)
		}
	}
	return voice, wrong
}

// check compares the log lines and the metrics with what was heard. Lines may be
// missing, as the log drops some under load. addrs are the upstreams', if they
// have any.
func (h heard) check(t *testing.T, logs *server.Logs, before map[string]float64, addrs []string) {
	t.Helper()
	if t.Failed() {
		return
	}
	lines, wrong := 0, 0
	for _, line := range logs.Matching("qname=" + h.prefix) {
		i, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(field(line, "qname"), h.prefix), ".example.org."))
		if err != nil || field(line, "rcode") == "" {
			continue
		}
		lines++
		voice := int(h.voices[i])
		other := fmt.Sprintf("voice %d", 1-voice)
		named := field(line, "upstream")
		if field(line, "ede") != strconv.Itoa(plugins.FirstVoice+voice) || strings.Contains(line, other) || addrs != nil && named != "" && named != addrs[voice] {
			if wrong++; wrong <= 3 {
				t.Errorf("the answer of voice %d (upstreams %v) is logged as\n%s", voice, addrs, line)
			}
		}
	}
	if lines == 0 {
		t.Error("no line about any of the answers")
	}
	if wrong > 3 {
		t.Errorf("%d of %d lines are wrong", wrong, lines)
	}
	after := optionsCounted(t)
	for code := range after {
		if got, want := after[code]-before[code], h.options[code]; got != want {
			t.Errorf("coredns_ede_options_total counts %v options with INFO-CODE %s, sent were %v", got, code, want)
		}
	}
}

// optionsCounted is coredns_ede_options_total by INFO-CODE.
func optionsCounted(t *testing.T) map[string]float64 {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counted := make(map[string]float64)
	for _, f := range families {
		if f.GetName() != "coredns_ede_options_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "info_code" {
					counted[l.GetValue()] += m.GetCounter().GetValue()
				}
			}
		}
	}
	return counted
}
