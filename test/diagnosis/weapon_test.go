package diagnosis_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
	"github.com/seed-1b7246af/coredns-ede/test/bed"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// validating answers from the bed with CD=1 and fails without, as a resolver does
// that validates and finds every zone bogus; sound zones it answers in either case.
func validating(b *bed.Bed, sound ...string) dns.Handler {
	exchange := b.Exchange()
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		r := new(dns.Msg).SetRcode(m, dns.RcodeServerFailure)
		isSound := m.Question[0].Name == "." || slices.ContainsFunc(sound, func(zone string) bool { return dns.IsSubDomain(zone, m.Question[0].Name) })
		if got, err := exchange(context.Background(), m.Question[0]); err == nil && (m.CheckingDisabled || isSound) {
			r.Rcode, r.Answer, r.Ns = got.Rcode, got.Answer, got.Ns
		}
		r.RecursionAvailable = true
		if m.IsEdns0() != nil {
			r.SetEdns0(4096, true)
		}
		if w.LocalAddr().Network() == "udp" {
			r.Truncate(1232)
		}
		_ = w.WriteMsg(r)
	})
}

// diagnosingCorefile is a block that diagnoses and holds its answer for it.
func diagnosingCorefile(to, diagnose string) string {
	return fmt.Sprintf(".:0 {\n bind 127.0.0.1\n ede {\n text full\n log all\n diagnose {\n wait 2s\n %s\n }\n }\n forward . %s {\n max_fails 0\n }\n}\n", diagnose, to)
}

// What one query of a stranger makes the server send in addition to the query itself, for
// each way of the upstream to fail, and that asking again makes it send no more.
func TestTheProbesOfOneFailingNameAreFew(t *testing.T) {
	deep := strings.TrimSuffix(strings.Repeat("a.", 100), ".")
	tree := bed.New(t, time.Now(),
		bed.Case{Name: "expired", After: bed.Times(dns.TypeA, -30*24*time.Hour, -24*time.Hour)},
		bed.Case{Name: "unsigned", Before: bed.Unsigned},
		bed.Case{Name: "deep", Before: bed.Records(deep + ".%s 300 IN A 192.0.2.9"), After: bed.Unsign(dns.TypeA)})
	anchors := filepath.Join(t.TempDir(), "anchors")
	if err := os.WriteFile(anchors, []byte(linesOf(tree.Anchor())), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		what    string
		handler dns.Handler
		name    string
		most    int
	}{
		{"a failure with a reason", upstream.Rcode(dns.RcodeServerFailure, true, dns.EDNS0_EDE{InfoCode: 22, ExtraText: "lame"}), "a.expired.edetest.", 3},
		{"a failure with a reason of DNSSEC, which is held against validation here",
			upstream.Rcode(dns.RcodeServerFailure, true, dns.EDNS0_EDE{InfoCode: 7, ExtraText: "expired"}), "a.expired.edetest.", 4},
		{"a failure without a reason", upstream.Rcode(dns.RcodeServerFailure, true), "a.expired.edetest.", 5},
		{"a refusal", upstream.Rcode(dns.RcodeRefused, false), "a.expired.edetest.", 8},
		{"a bogus zone", validating(tree), "expired.edetest.", 12},
		{"a zone without DNSSEC", validating(tree), "unsigned.edetest.", 12},
		{"a name of a hundred labels, each to be asked for", validating(tree), deep + ".deep.edetest.", diagnose.MaxQueries},
	} {
		t.Run(tc.what, func(t *testing.T) {
			logs := server.Capture(t)
			up := upstream.Start(t, upstream.Config{Handler: tc.handler})
			s := server.Start(t, diagnosingCorefile(up.Addr(), "trust_anchor "+anchors))
			ask := func() { server.Ask(t, s.UDP(), tc.name, dns.TypeA, server.EDNS()) }
			ask()
			if tc.most > 0 {
				logs.WaitFor(t, "plugin/ede: diagnosis ", patience)
			}
			probes := up.Queries() - 1
			t.Logf("%d probes", probes)
			if probes > tc.most || tc.most > 0 && probes == 0 {
				t.Errorf("%d probes, at most %d are pinned", probes, tc.most)
			}
			const more = 200
			began := time.Now()
			for range more {
				ask()
			}
			// At once at first, then after one second, two, four: RFC 9520.
			again := 1 + len(fmt.Sprintf("%b", int(time.Since(began).Seconds())+1))
			if all := up.Queries() - 1 - more; all > again*tc.most {
				t.Errorf("%d probes after %d more queries in %v", all, more, time.Since(began))
			}
		})
	}
}

func linesOf(rrs []dns.RR) string {
	var b strings.Builder
	for _, rr := range rrs {
		b.WriteString(rr.String() + "\n")
	}
	return b.String()
}

// Trust anchors come from a file that somebody may damage or replace. A load with
// a file that does not hold is refused and the old one goes on; what is in
// the file while the server runs does not matter to it.
func TestAReplacedTrustAnchorFile(t *testing.T) {
	server.Capture(t)
	now := time.Now()
	tree := bed.New(t, now, bed.Case{Name: "expired", After: bed.Times(dns.TypeA, -30*24*time.Hour, -24*time.Hour)}, bed.Case{Name: "valid"})
	other := bed.New(t, now, bed.Case{Name: "valid"})
	up := upstream.Start(t, upstream.Config{Handler: validating(tree, "valid.edetest.")})
	file := filepath.Join(t.TempDir(), "anchors")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	revoked := *tree.Root.KSK().Published
	revoked.Flags |= dns.REVOKE

	write(linesOf(tree.Anchor()))
	corefile := diagnosingCorefile(up.Addr(), "trust_anchor "+file)
	s := server.Start(t, corefile)
	explained := func() []uint16 {
		return codesOf(askHeld(t, s.UDP(), "expired.edetest.", dns.TypeA))
	}
	if codes := explained(); len(codes) == 0 || codes[0] != 7 {
		t.Fatalf("with the right anchors: %v", codes)
	}
	for what, text := range map[string]string{
		"garbage": "\x00\xff\x1b[2J garbage\n", "an empty file": "", "a comment alone": "; nothing\n", "a revoked key": revoked.String() + "\n",
		"a digest that is no hexadecimal": ". IN DS 20326 8 2 ZZ\n", "an include": "$INCLUDE /etc/hostname\n",
	} {
		write(text)
		err := s.Reload("# " + what + "\n" + corefile)
		if err == nil {
			t.Fatalf("%s: loaded", what)
		}
		if !strings.Contains(err.Error(), file) || strings.ContainsAny(err.Error(), "\x00\x1b\n") {
			t.Errorf("%s: %q", what, err)
		}
		if codes := explained(); len(codes) == 0 || codes[0] != 7 {
			t.Errorf("after %s the old load says %v", what, codes)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload("# missing\n" + corefile); err == nil {
		t.Error("loaded without the file")
	}

	// Anchors of another root: nothing is validated by them, and nobody blamed.
	write(linesOf(other.Anchor()))
	if err := s.Reload("# another root\n" + corefile); err != nil {
		t.Fatal(err)
	}
	if reply := server.Ask(t, s.UDP(), "valid.edetest.", dns.TypeA, server.EDNS()); reply.Rcode != dns.RcodeSuccess || len(codesOf(reply)) > 0 {
		t.Errorf("a zone that holds: %v", reply)
	}
	reply := server.Ask(t, s.UDP(), "expired.edetest.", dns.TypeAAAA, server.EDNS())
	if codes := codesOf(reply); slices.Contains(codes, 7) || strings.Contains(texts(reply), "RRSIG") {
		t.Errorf("by anchors that do not fit: %s", texts(reply))
	}
}

// Answers that wait for a diagnosis take memory and a goroutine each: whoever asks
// for one failing name many times over does not have them all held.
func TestHeldAnswersAreBounded(t *testing.T) {
	const asked, most = 100, 64
	silentToProbes := dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		// Clients here ask without EDNS, and so does forward for them.
		if m.IsEdns0() == nil {
			_ = w.WriteMsg(new(dns.Msg).SetRcode(m, dns.RcodeServerFailure))
		}
	})
	up := upstream.Start(t, upstream.Config{Handler: silentToProbes})
	s := server.Start(t, diagnosingCorefile(up.Addr(), ""))
	// On a busy machine the answers that are not held may take as long as the
	// others: one try out of several has to show the bound.
	for try := range 12 {
		name := fmt.Sprintf("n%d.example.org.", try)
		answers := make(chan error, asked)
		for range asked {
			go func() {
				_, err := server.Exchange(s.UDP(), "udp", server.Message(name, dns.TypeA), 2*patience)
				answers <- err
			}()
		}
		soon := time.After(1500 * time.Millisecond)
		atOnce, total := 0, 0
		for early := true; total < asked; {
			select {
			case err := <-answers:
				if err != nil {
					t.Fatal(err)
				}
				total++
				if early {
					atOnce++
				}
			case <-soon:
				early = false
			}
		}
		if t.Logf("%d of %d were not held", atOnce, asked); atOnce >= asked-most && atOnce < asked {
			return
		}
	}
	t.Errorf("more than %d answers were held, or none", most)
}
