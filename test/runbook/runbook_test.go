// Package runbook_test runs what docs/runbook.md shows: every block of output
// there that has a scene's name above it is what the commands in it print.
package runbook_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/report"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

var update = flag.Bool("update", false, "write the outputs of docs/runbook.md anew")

const (
	book     = "../../docs/runbook.md"
	patience = 20 * time.Second
)

// step is one command and the log line that belongs to it.
type step struct {
	command string
	// log are words that the line has, "" for no line.
	log string
	// repeat the command until the line is there, or without a line until it succeeds:
	// something has to be found out first.
	repeat bool
}

// stage is a running server and what runs the steps of scenes on it.
type stage struct {
	t     *testing.T
	logs  *server.Logs
	ports map[string]string // of the document: those of this run
	shown map[string]bool   // log lines
	out   map[string]string // by scene
}

func newStage(t *testing.T) *stage {
	return &stage{t: t, ports: make(map[string]string), shown: make(map[string]bool), out: make(map[string]string)}
}

// enter makes t the act that the next scenes are of. Each act has ports of its
// own: those of an act that ended may have been given to somebody else since.
func (s *stage) enter(t *testing.T) {
	s.t = t
	clear(s.ports)
}

// port gives a port of the document one of this run.
func (s *stage) port(documented string) string {
	if s.ports[documented] == "" {
		_, s.ports[documented], _ = strings.Cut(upstream.Closed(s.t), ":")
	}
	return s.ports[documented]
}

// here puts the ports of this run in place of the document's, back the other
// way round.
func (s *stage) here(text string) string {
	return regexp.MustCompile(`\b(105\d|9153)\b`).ReplaceAllStringFunc(text, s.port)
}

func (s *stage) back(text string) string {
	for documented, port := range s.ports {
		text = regexp.MustCompile(`\b`+port+`\b`).ReplaceAllString(text, documented)
	}
	return text
}

// scene runs the steps and keeps what they show under name.
func (s *stage) scene(name string, steps ...step) {
	s.t.Helper()
	var blocks []string
	for _, one := range steps {
		out, err := s.run(one.command)
		there := func() bool { return err == nil && (one.log == "" || s.has(one.log)) }
		for deadline := time.Now().Add(patience); one.repeat && !there() && time.Now().Before(deadline); {
			out, err = s.run(one.command)
		}
		if err != nil {
			s.t.Fatalf("%s: %v\n%s", one.command, err, out)
		}
		blocks = append(blocks, "$ "+one.command+"\n"+out)
		if one.log != "" {
			blocks = append(blocks, s.line(one.log)+"\n")
		}
	}
	s.out[name] = s.back(strings.Join(blocks, "\n"))
}

// dig prints much that does not matter here: its header without the number, the
// EDEs, and with +short the answers alone.
var (
	header  = regexp.MustCompile(`(?m)^;; ->>HEADER<<- .*status: \w+`)
	digLine = regexp.MustCompile(`(?m)^(;; ->>HEADER<<- .*status: \w+|; EDE: .*)`)
)

func (s *stage) run(command string) (string, error) {
	out, err := exec.Command("sh", "-c", s.here(command)).CombinedOutput()
	text := string(out)
	if err == nil && header.MatchString(text) {
		text = strings.Join(digLine.FindAllString(text, -1), "\n") + "\n"
	}
	return text, err
}

// fits reports whether line has all words and was not shown yet.
func (s *stage) fits(line, words string) bool {
	if s.shown[line] || !strings.Contains(line, "[INFO] plugin/ede: ") {
		return false
	}
	for _, word := range strings.Fields(words) {
		if !strings.Contains(line, " "+word+" ") {
			return false
		}
	}
	return true
}

func (s *stage) has(words string) bool {
	return slices.ContainsFunc(s.logs.Lines(), func(line string) bool { return s.fits(line, words) })
}

// line waits for a line that no step has shown yet, and folds it.
func (s *stage) line(words string) string {
	s.t.Helper()
	line := s.logs.WaitForFunc(s.t, func(line string) bool { return s.fits(line, words) }, patience)
	s.shown[line] = true
	return folded(line)
}

// folded breaks a line between words.
func folded(line string) string {
	const width = 116
	var all strings.Builder
	used := 0
	for i, word := range strings.Split(line, " ") {
		switch {
		case i == 0:
		case used+1+len(word) > width:
			all.WriteString("\n  ")
			used = 2
		default:
			all.WriteByte(' ')
			used++
		}
		all.WriteString(word)
		used += len(word)
	}
	return all.String()
}

func program(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("%s is not installed", name)
	}
}

// dig asks the server of the document.
func dig(args string) string { return "dig @127.0.0.1 -p 1053 " + args }

func metrics(pattern string) string {
	return "curl -s http://127.0.0.1:9153/metrics | grep '" + pattern + "'"
}

// TestTheRunbookShowsWhatHappens runs every scene, and compares it with the
// document in all but numbers and times that change from run to run.
func TestTheRunbookShowsWhatHappens(t *testing.T) {
	program(t, "dig")
	program(t, "curl")
	s := newStage(t)
	s.logs = server.Capture(t)
	t.Run("the example Corefile", s.examples)
	t.Run("overload, panic and unexplained", s.faults)
	t.Run("DNSSEC", s.signatures)
	t.Run("a wrong clock", s.clock)
	if t.Failed() {
		return
	}

	text, err := os.ReadFile(book)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	got := block.ReplaceAllStringFunc(string(text), func(found string) string {
		name := block.FindStringSubmatch(found)[1]
		seen[name] = true
		if s.out[name] == "" {
			t.Errorf("the document shows a scene %q that there is not", name)
			return found
		}
		return fmt.Sprintf("<!-- scene: %s -->\n\n~~~ txt\n%s~~~\n", name, s.out[name])
	})
	for name := range s.out {
		if !seen[name] {
			t.Errorf("the document does not show scene %q", name)
		}
	}
	if *update {
		if err := os.WriteFile(book, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want, is := settled(string(text)), settled(got); want != is {
		old, now := strings.Split(want, "\n"), strings.Split(is, "\n")
		for i := range min(len(old), len(now)) {
			if old[i] != now[i] {
				t.Fatalf("docs/runbook.md, line %d, is not what happens (go test ./test/runbook -update writes it anew)\n shown %s\n is    %s", i+1, old[i], now[i])
			}
		}
		t.Fatalf("docs/runbook.md has %d lines, want %d", len(old), len(now))
	}
}

var block = regexp.MustCompile(`(?s)<!-- scene: ([\w-]+) -->\n\n~~~ txt\n(.*?)~~~\n`)

// settled leaves out what differs from run to run, and where lines are folded.
func settled(text string) string {
	text = strings.ReplaceAll(text, "\n  ", " ")
	for _, changing := range []string{
		`\bid=\d+`, `client_port=\d+`, `duration_seconds=[\d.e-]+`, `within \d+\.\d+ s`, `queries=\d+`, `\d\d:\d\d:\d\dZ`,
		`\d{4}-\d\d-\d\dT`, `by key \d+`, `\} \d+\b`, `_total \d+`,
	} {
		text = regexp.MustCompile(changing).ReplaceAllString(text, "~")
	}
	return text
}

// examples are the scenes of Corefile.example.
func (s *stage) examples(t *testing.T) {
	s.enter(t)
	corefile, err := os.ReadFile("../../Corefile.example")
	if err != nil {
		t.Fatal(err)
	}
	server.Start(t, s.here(string(corefile)))

	s.scene("closed", step{command: dig("closed.example.org"), log: "qname=closed.example.org."})
	s.scene("closed-metric", step{command: metrics("ede_upstream_failures_total.*unreachable"), repeat: true})
	s.scene("servfail", step{command: dig("servfail.example.org"), log: "qname=servfail.example.org."})
	s.scene("refused", step{command: dig("refused.example.org"), log: "qname=refused.example.org."})
	s.scene("reason", step{command: dig("reason.example.org"), log: "cause=upstream_ede qname=reason.example.org."})
	s.scene("blocked", step{command: dig("blocked.example.org"), log: "qname=blocked.example.org."})
	s.scene("not-authoritative", step{command: dig("other.zones.example.org +tcp"), log: "qname=other.zones.example.org."})
	s.scene("not-loaded", step{command: dig("www.served.zones.example.org"), log: "qname=www.served.zones.example.org."})
	s.scene("chain", step{command: dig("www.chain.example.org"), log: "qname=www.chain.example.org."})
	s.report(t)
	// How many queries these take is a matter of time, and the report counts them.
	s.scene("silent", step{command: dig("silent.example.org"), log: "qname=silent.example.org."})
	s.scene("down", step{command: dig("down.example.org"), log: "cause=no_healthy_upstream", repeat: true})
}

// report is how ede report sums up the log so far.
func (s *stage) report(t *testing.T) {
	file := filepath.Join(t.TempDir(), "coredns.log")
	if err := os.WriteFile(file, []byte(s.back(strings.Join(s.logs.Lines(), "\n")+"\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err := report.Run(t.Context(), report.Config{
		Files: []string{file}, Out: &out, Top: 10, Knowledge: report.Catalog,
		Style: report.Style{Width: 80, Names: 3, Location: time.UTC},
	})
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(out.String(), "\nZONES")
	s.out["report"] = "$ ede report coredns.log\n" + text
}

// faults are those that Corefile.example cannot bring about.
func (s *stage) faults(t *testing.T) {
	s.enter(t)
	slow := upstream.Start(t, upstream.Config{Handler: upstream.Silent()})
	servfail := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(dns.RcodeServerFailure, true)})
	expired := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(dns.RcodeServerFailure, true,
		dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeSignatureExpired, ExtraText: "RRSIG of www.signed.example.org expired"})})
	_, s.ports["1056"], _ = strings.Cut(expired.Addr(), ":")
	server.Start(t, s.here(fmt.Sprintf(`
busy.example.org:1053 {
    bind 127.0.0.1
    prometheus 127.0.0.1:9153
    ede
    forward . %s {
        max_concurrent 1
    }
}
broken.example.org:1053 {
    bind 127.0.0.1
    ede
    panics
}
strange.example.org:1053 {
    bind 127.0.0.1
    ede
    strange
}
many.example.org:1053 {
    bind 127.0.0.1
    prometheus 127.0.0.1:9153
    ede {
        diagnose {
            rate 1 1
        }
    }
    forward . %s
}
signed.example.org:1053 {
    bind 127.0.0.1
    ede
    forward . %s
}
`, slow.Addr(), servfail.Addr(), expired.Addr())))
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		server.Exchange(s.here("127.0.0.1:1053"), "udp", server.Message("first.busy.example.org.", dns.TypeA), patience)
	}()
	slow.Await(t, "first.busy.example.org.", 1, patience)
	s.scene("overload", step{command: dig("second.busy.example.org"), log: "qname=second.busy.example.org."})
	slow.Stop()
	<-asked
	s.scene("reported", step{command: dig("www.signed.example.org"), log: "qname=www.signed.example.org."})
	s.scene("panic", step{command: dig("www.broken.example.org"), log: "qname=www.broken.example.org."})
	s.scene("unexplained", step{command: dig("www.strange.example.org"), log: "qname=www.strange.example.org."})
	// One diagnosis a second is begun: of many questions at once most are not.
	_, err := s.run(metrics(skippedForRate))
	for deadline := time.Now().Add(patience); err != nil && time.Now().Before(deadline); _, err = s.run(metrics(skippedForRate)) {
		for i := range 20 {
			server.Exchange(s.here("127.0.0.1:1053"), "udp", server.Message(fmt.Sprintf("n%d.many.example.org.", i), dns.TypeA), patience)
		}
	}
	s.scene("budget", step{command: metrics(skippedForRate), repeat: true})
}

const skippedForRate = "ede_diagnoses_skipped_total.*rate"
