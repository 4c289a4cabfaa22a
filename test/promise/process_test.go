package promise_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/bed"
	"github.com/seed-1b7246af/coredns-ede/test/port"
	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// coredns is cmd/coredns, running as a process of its own, so that what ends it
// does not end the test.
type coredns struct {
	addr, metrics, output string
	command               *exec.Cmd
	exited                chan struct{}
}

// build compiles cmd/coredns.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "coredns")
	if out, err := exec.Command("go", "build", "-o", path, "../../cmd/coredns").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// startProcess runs the binary with a server block of these lines until the test
// ends.
func startProcess(t *testing.T, path string, environment []string, lines ...string) *coredns {
	t.Helper()
	dir := t.TempDir()
	p := &coredns{addr: port.Free(t), metrics: port.Free(t), output: filepath.Join(dir, "output"), exited: make(chan struct{})}
	_, number, _ := strings.Cut(p.addr, ":")
	corefile := fmt.Sprintf(".:%s {\n bind 127.0.0.1\n prometheus %s\n errors\n %s\n}\n", number, p.metrics, strings.Join(lines, "\n "))
	if err := os.WriteFile(filepath.Join(dir, "Corefile"), []byte(corefile), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(p.output)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p.command = exec.Command(path, "-conf", "Corefile")
	p.command.Dir, p.command.Stdout, p.command.Stderr = dir, out, out
	p.command.Env = append(os.Environ(), environment...)
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.command.Wait(); close(p.exited) }()
	t.Cleanup(func() { _ = p.command.Process.Kill(); <-p.exited })
	p.await(t, func() bool {
		_, err := server.Exchange(p.addr, "udp", server.Message("ready.invalid.", dns.TypeA), time.Second)
		return err == nil
	}, "it does not serve")
	return p
}

// await polls until done, and fails the test where the process ends first or the
// time does.
func (p *coredns) await(t *testing.T, done func() bool, otherwise string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(2 * patience); !done(); <-tick.C {
		if !p.runs() {
			t.Fatalf("CoreDNS ended: %v\n%s", p.command.ProcessState, p.tail())
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s\n%s", otherwise, p.tail())
		}
	}
}

func (p *coredns) runs() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

func (p *coredns) said() string {
	text, _ := os.ReadFile(p.output)
	return string(text)
}

// tail is the end of what the process said, from its panic on if it has one.
func (p *coredns) tail() string {
	text := p.said()
	if i := strings.Index(text, "panic:"); i >= 0 {
		return text[i:min(len(text), i+4000)]
	}
	return text[max(0, len(text)-4000):]
}

// TestAPanicOfADiagnosisEndsNoProcess has a CoreDNS whose cryptography panics over
// SHA-1 validate broken zones, of which many cannot be validated without: digests,
// signatures, and the hashes of NSEC3.
func TestAPanicOfADiagnosisEndsNoProcess(t *testing.T) {
	path := build(t)
	tree := bed.New(t, time.Now(), bed.All()...)
	anchors := ""
	for _, rr := range tree.Anchor() {
		anchors += rr.String() + "\n"
	}
	to := said(t, validating(tree))
	p := startProcess(t, path, []string{"GODEBUG=fips140=only"},
		"ede {\n log all\n diagnose {\n rate 1000 16\n trust_anchor "+file(t, anchors)+"\n }\n }", forward(to))
	for _, c := range tree.Cases() {
		q := c.Question()
		m := server.Message(q.Name, q.Qtype, server.EDNS(), server.DO())
		if r, err := server.Exchange(p.addr, "udp", m, patience); err != nil || r.Rcode != servfail {
			t.Fatalf("%s (CoreDNS runs: %v): %v, %v\n%s", q.Name, p.runs(), r, err, p.tail())
		}
	}
	// Each question is diagnosed, or the piece of work that did it has ended.
	p.await(t, func() bool { return strings.Count(p.said(), "plugin/ede: diagnosis ") >= len(tree.Cases())/4 }, "hardly any diagnosis comes to an end")
	p.await(t, func() bool { return paniclines(p.said()) > 0 }, "no panic of a diagnosis is told: this test has lost its point, or it is not logged")
	for range 20 {
		if r, err := server.Exchange(p.addr, "udp", server.Message("www.ds-sha1-only.edetest.", dns.TypeA, server.EDNS()), patience); err != nil || r.Rcode != servfail {
			t.Fatalf("after the panics (CoreDNS runs: %v): %v, %v\n%s", p.runs(), r, err, p.tail())
		}
	}
}

// paniclines are lines of ede that tell of a panic.
func paniclines(said string) (n int) {
	for line := range strings.Lines(said) {
		if strings.Contains(line, "plugin/ede") && strings.Contains(line, "panic") {
			n++
		}
	}
	return n
}

// validating answers from the bed with CD=1 and fails without, as a resolver does
// that finds every zone bogus.
func validating(b *bed.Bed) dns.Handler {
	exchange := b.Exchange()
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		r := new(dns.Msg).SetRcode(m, servfail)
		if got, err := exchange(context.Background(), m.Question[0]); err == nil && m.CheckingDisabled {
			r.Rcode, r.Answer, r.Ns = got.Rcode, got.Answer, got.Ns
		}
		r.RecursionAvailable = true
		if m.IsEdns0() != nil {
			r.SetEdns0(4096, true)
		}
		_ = w.WriteMsg(r)
	})
}
