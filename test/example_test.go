package test_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// example is a dig line of Corefile.example and what stands below it.
type example struct {
	name, port, cause string
	qtype             uint16
	tcp, later        bool
	rcode             string
	edes              []string
}

// TestTheExampleCorefileDoesWhatItSays asks each question of Corefile.example,
// in order, and compares the answer and the log with what the file promises.
func TestTheExampleCorefileDoesWhatItSays(t *testing.T) {
	logs := server.Capture(t)
	corefile := readFile(t, "../Corefile.example")
	// No fixed port is sure to be free.
	for _, port := range []string{"1053", "1054", "1055", "1056", "1057", "1058", "1059", "9153"} {
		_, free, _ := strings.Cut(upstream.Closed(t), ":")
		corefile = regexp.MustCompile(`\b`+port+`\b`).ReplaceAllString(corefile, free)
	}
	examples := examplesOf(t, corefile)
	if len(examples) < 14 {
		t.Errorf("%d dig lines are found, want 14 at least", len(examples))
	}
	server.Start(t, corefile)
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) { e.check(t, logs) })
	}
}

func (e example) check(t *testing.T, logs *server.Logs) {
	network := "udp"
	if e.tcp || e.qtype == dns.TypeAXFR {
		network = "tcp"
	}
	deadline := time.Now().Add(patience)
	for {
		m := server.Message(e.name, e.qtype, server.EDNS())
		r := ask(t, "127.0.0.1", network, "127.0.0.1:"+e.port, m)
		l := failureOf(t, logs, m)
		if e.later && l["cause"] != e.cause && time.Now().Before(deadline) {
			// A background check has to end first.
			time.Sleep(silence)
			continue
		}
		expect(t, r, e.rcode, e.edes...)
		expectFields(t, l, line{"cause": e.cause})
		return
	}
}

var elapsed = regexp.MustCompile(`\d+\.\d+ s`)

// examplesOf reads "# $ dig ..." lines, each with the line below it.
func examplesOf(t *testing.T, corefile string) (all []example) {
	t.Helper()
	lines := strings.Split(corefile, "\n")
	for i, text := range lines {
		command, ok := strings.CutPrefix(text, "# $ dig ")
		if !ok {
			continue
		}
		command, remark, _ := strings.Cut(command, "#")
		e := example{qtype: dns.TypeA, later: strings.Contains(remark, "later")}
		words := strings.Fields(command)
		for j, word := range words {
			switch {
			case strings.HasPrefix(word, "@"), j > 0 && words[j-1] == "-p":
			case word == "-p":
				e.port = words[j+1]
			case word == "+tcp":
				e.tcp = true
			case dns.StringToType[word] != 0:
				e.qtype = dns.StringToType[word]
			case e.name == "":
				e.name = word
			default:
				t.Errorf("%q: what is %q?", text, word)
			}
		}
		e.promise(t, lines[i+1])
		all = append(all, e)
	}
	return all
}

// promise reads "#   SERVFAIL, EDE 23 (text), cause=upstream_timeout".
func (e *example) promise(t *testing.T, text string) {
	t.Helper()
	rest, ok := strings.CutPrefix(text, "#   ")
	rest, e.cause, _ = strings.Cut(rest, ", cause=")
	parts := strings.Split(rest, ", EDE ")
	if !ok || e.cause == "" || len(parts) < 2 {
		t.Fatalf("%q is no promise", text)
	}
	e.rcode = parts[0]
	for _, part := range parts[1:] {
		code, words, _ := strings.Cut(part, " (")
		words = strings.ReplaceAll(strings.TrimSuffix(words, ")"), "...", "…")
		words = elapsed.ReplaceAllString(words, "… s")
		e.edes = append(e.edes, strings.TrimSpace(code+" "+words))
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
