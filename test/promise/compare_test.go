package promise_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/certificate"
	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// block is a server block that is served with ede and without.
type block struct {
	name string
	// plugins starts what the block needs and returns its lines.
	plugins func(t *testing.T) string
	// qname is asked, www.example.org. if empty.
	qname string
	// aged is true where the clock is in the answers: TTLs out of a cache, the
	// serials of etcd.
	aged bool
	// over are the transports, all if there is none.
	over []string
	// quiet is true where ede has nothing to explain, or may not.
	quiet bool
}

// shownFailures is how many failures of a block are told in full.
const shownFailures = 3

// TestNobodyFaresWorse compares what leaves two servers with the same block, over
// every transport, for every query: nothing differs but what the rule allows.
func TestNobodyFaresWorse(t *testing.T) {
	server.Capture(t)
	cert, key := certificate.New(t).Files(t)
	for _, b := range append(append([]block{}, ownBlocks...), standInBlocks()...) {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			b.compare(t, "ede", rule{}, "tls "+cert+" "+key)
		})
	}
}

// TestWhatTheCorefileSaysHoldsToo repeats the comparison with other lines in the
// directive.
func TestWhatTheCorefileSaysHoldsToo(t *testing.T) {
	server.Capture(t)
	cert, key := certificate.New(t).Files(t)
	for _, directive := range []struct {
		lines string
		rule  rule
	}{
		{"ede {\n attach always\n }", rule{always: true}},
		{"ede {\n attach always 127.0.0.0/8\n text full\n }", rule{always: true}},
		{"ede {\n attach always 192.0.2.0/24\n }", rule{}},
		{"ede {\n attach always\n text none\n }", rule{always: true, silent: true}},
		{"ede {\n upstream drop\n }", rule{dropped: true}},
		{"ede {\n text none\n }", rule{silent: true}},
		{"ede {\n text full\n page 127.0.0.1:0\n why\n log all\n }", rule{}},
		{"ede {\n diagnose {\n rate 50 4\n wait 100ms\n }\n }", rule{}},
		{"ede {\n answers keep log\n text full\n page 127.0.0.1:0\n }", rule{kept: true}},
		{"ede {\n shadow\n }", rule{untouched: true}},
		{"ede {\n except .\n }", rule{untouched: true}},
		{"ede example.com", rule{untouched: true}},
	} {
		for _, b := range variedBlocks() {
			t.Run(strings.Join(strings.Fields(directive.lines), " ")+"/"+b.name, func(t *testing.T) {
				t.Parallel()
				b.quiet = b.quiet || directive.rule.untouched || directive.rule.silent
				b.compare(t, directive.lines, directive.rule, "tls "+cert+" "+key)
			})
		}
	}
}

// serve starts a server that has the lines in one block for all transports.
func serve(t *testing.T, lines ...string) *server.Server {
	t.Helper()
	const keys = ".:0 tls://.:0 https://.:0 https3://.:0 quic://.:0 grpc://.:0"
	return server.Start(t, keys+" {\n bind 127.0.0.1\n "+strings.Join(lines, "\n ")+"\n}\n")
}

func (b block) compare(t *testing.T, directive string, r rule, certificates string) {
	t.Helper()
	plugins := b.plugins(t)
	stock, with := serve(t, certificates, plugins), serve(t, certificates, directive, plugins)
	qname := b.qname
	if qname == "" {
		qname = "www.example.org."
	}
	everything, everywhere := queries(t, qname)
	rep := &report{t: t, lines: directive + "\n" + plugins}
	var tcp []outcome
	told := 0
	for _, tr := range transports {
		if tr.name != "tcp" && len(b.over) > 0 && !contains(b.over, tr.name) {
			continue
		}
		all := everything
		if tr.name != "tcp" && tr.name != "udp" {
			all = everything[:everywhere]
		}
		without, err := tr.ask(stock, all, func(i int) int { return onceFor(all[i], tcp, tr.name, i) })
		if err != nil {
			t.Fatalf("ask without ede over %s: %v", tr.name, err)
		}
		if tr.name == "tcp" {
			tcp = without
		}
		expected := make([]expectation, len(all))
		for i, q := range all {
			expected[i] = r.expect(q, without[i].answers, tcp[i].answers)
		}
		got, err := tr.ask(with, all, func(i int) int { return expected[i].count() })
		if err != nil {
			t.Fatalf("ask with ede over %s: %v", tr.name, err)
		}
		if tr.name == "tcp" && len(b.over) > 0 && !contains(b.over, "tcp") {
			continue
		}
		for i, q := range all {
			wrong := r.judge(q, expected[i], got[i].answers, b.aged)
			if wrong == "" && !b.aged && expected[i].choices == nil && sameEnd(tr.name, got[i]) != sameEnd(tr.name, without[i]) {
				wrong = fmt.Sprintf("the transport tells %q, without ede %q", got[i].note, without[i].note)
			}
			if wrong != "" {
				rep.add(tr.name, q, wrong, without[i], got[i])
			}
			told += countReasons(got[i].answers)
		}
	}
	rep.close()
	if !b.quiet && told == 0 {
		t.Errorf("no reason in any answer: nothing was compared\nblock:\n%s", rep.lines)
	}
}

// sameEnd is how the transport ended. Over QUIC a query that gets no answer may see the
// connection end because of another query, or not, depending on timing: both are one.
func sameEnd(transport string, o outcome) string {
	if transport == "quic" && len(o.answers) == 0 && o.note != "" {
		return nothingMore
	}
	return o.note
}

// onceFor is how many answers to wait for without ede, from what came over TCP. A
// zone transfer over UDP is one message at most.
func onceFor(q query, tcp []outcome, network string, i int) int {
	if tcp == nil {
		return 0
	}
	n := len(tcp[i].answers)
	if network == "udp" && transfer(q.m) && n > 1 && !failing(tcp[i].answers[n-1]) {
		return 1
	}
	return n
}

func contains(all []string, s string) bool {
	for _, other := range all {
		if other == s {
			return true
		}
	}
	return false
}

func countReasons(answers [][]byte) (n int) {
	for _, wire := range answers {
		if m := new(dns.Msg); m.Unpack(wire) == nil && failing(wire) {
			n += len(server.ExtendedErrors(m))
		}
	}
	return n
}

// report tells the first failures of a block in full and counts the others.
type report struct {
	t     *testing.T
	lines string
	n     int
	rest  []string
}

func (r *report) add(network string, q query, wrong string, without, with outcome) {
	r.t.Helper()
	r.n++
	if r.n > shownFailures {
		r.rest = append(r.rest, fmt.Sprintf("%s, %s: %s", network, q.name, wrong))
		return
	}
	r.t.Errorf("over %s, query %q: %s\nblock:\n%s\nquery:\n%v\n%s\n%s", network, q.name, wrong, r.lines, q.m,
		without.text("without ede"), with.text("with ede"))
}

func (r *report) close() {
	r.t.Helper()
	if len(r.rest) > 0 {
		const most = 40
		more := ""
		if len(r.rest) > most {
			more = fmt.Sprintf("\nand %d more", len(r.rest)-most)
		}
		r.t.Errorf("%d failures in all; in addition to those above:\n%s%s", r.n, strings.Join(r.rest[:min(len(r.rest), most)], "\n"), more)
	}
}

func (o outcome) text(who string) string {
	text := fmt.Sprintf("%s, %d answers", who, len(o.answers))
	if o.note != "" {
		text += " (" + o.note + ")"
	}
	for _, wire := range o.answers {
		m := new(dns.Msg)
		if err := m.Unpack(wire); err != nil {
			text += fmt.Sprintf("\n%x: %v", wire, err)
			continue
		}
		text += fmt.Sprintf("\n%d octets:\n%v", len(wire), m)
	}
	return text
}
