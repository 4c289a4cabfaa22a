package overheard

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// listening returns an Ear on CoreDNS's real log, and its clock.
func listening(t *testing.T) (*Ear, *time.Time) {
	t.Helper()
	clog.Discard()
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	e := New(func() time.Time { return at })
	e.Listen()
	t.Cleanup(e.Stop)
	return e, &at
}

// readTimeout is the error of a transfer whose primary says nothing.
func readTimeout(primary string) error {
	addr, _ := net.ResolveTCPAddr("tcp", primary)
	local := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 40112}
	return &net.OpError{Op: "read", Net: "tcp", Source: local, Addr: addr, Err: errors.New("i/o timeout")}
}

// The lines are those of CoreDNS 1.15; test/ has the plugins themselves say them.
func TestEachLineIsHeardAsWhatItIsAbout(t *testing.T) {
	const primary = "192.0.2.53:53"
	refused := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 53), Port: 53}, Err: syscall.ECONNREFUSED}
	_, unreadable := dns.NewRR("www IN A x")
	for _, tc := range []struct {
		plugin, format string
		values         []any
		from, about    string
		reason         evidence.Reason
		text           string
	}{
		{"file", "Failed to transfer `%s' from %q: %v", []any{"Example.org.", primary, readTimeout(primary)}, Transfers, "example.org.",
			evidence.SilentOverTCP, "Failed to transfer `Example.org.' from \"192.0.2.53:53\": read tcp 192.0.2.1->192.0.2.53:53: i/o timeout"},
		{"file", "Failed to setup transfer `%s' with `%q': %v", []any{"example.org.", primary, refused}, Transfers, "example.org.", evidence.NotListening, ""},
		{"file", "Failed to transfer `%s' from %q: %v", []any{"example.org.", primary, errors.New("dns: bad xfr rcode: 5")}, Transfers, "example.org.", evidence.TransferRefused, ""},
		{"file", "Failed retry check %s", []any{refused}, Transfers, primary, evidence.NotListening, ""},
		{"file", "Failed to open zone %q in %q: %v", []any{"example.org.", "db", syscall.ENOENT}, "file", "example.org.", evidence.NoFile, ""},
		{"file", "Parsing zone %q: %v", []any{"example.org.", unreadable}, "file", "example.org.", evidence.Unreadable, ""},
		{"secondary", "All '%s' masters failed to transfer, retrying in %s: %s", []any{"example.org.", "10s", "x"}, "secondary", "example.org.", evidence.NoReason, ""},
		{"auto", "Parse zone `%s': %v", []any{"example.org.", unreadable}, "auto", "example.org.", evidence.Unreadable, ""},
		{"route53", "Failed to update zones %v: %v", []any{[]string{"a.example.", "b.example."}, errors.New("x509: unknown")}, "route53", "b.example.", evidence.Untrusted, ""},
		{"kubernetes", "%s", []any{`Failed to watch: services is forbidden: User "dns" logger="UnhandledError" reflector="a \"b\"" type=*v1.Service`}, "kubernetes", "",
			evidence.Forbidden, `Failed to watch: services is forbidden: User "dns"`},
	} {
		e, _ := listening(t)
		line := fmt.Sprintf(tc.format, tc.values...)
		clog.NewWithPlugin(tc.plugin).Errorf(tc.format, tc.values...)
		got := e.Why(tc.from, tc.about)
		if got.Text == "" || got.Reason != tc.reason || tc.text != "" && got.Text != tc.text {
			t.Errorf("%q is heard as %s %q, want %s %q", line, got.Reason, got.Text, tc.reason, tc.text)
		}
		if other := e.Why(tc.from, "other.example."); other.Text != "" {
			t.Errorf("%q is heard about another zone", line)
		}
		e.Stop()
	}
}

func TestTheFirstAndTheLastOfAComplaintAreKept(t *testing.T) {
	e, at := listening(t)
	say := func(text string) {
		clog.NewWithPlugin("file").Warningf("Failed to transfer `%s' from %q: %v", "example.org.", "192.0.2.53:53", errors.New(text))
	}
	say("first")
	*at = at.Add(time.Minute)
	say("second")
	*at = at.Add(time.Second)
	got := e.Why(Transfers, "example.org.")
	if !strings.HasSuffix(got.Text, "second") || got.Lasted != 61*time.Second || !got.Last.Equal(at.Add(-time.Second)) {
		t.Errorf("heard %q, since %s, last at %s", got.Text, got.Lasted, got.Last)
	}
	clog.NewWithPlugin("file").Infof("Transferred: %s from %s", "example.org.", "192.0.2.53:53")
	if got := e.Why(Transfers, "example.org."); got.Text != "" {
		t.Errorf("after the transfer there is still %q", got.Text)
	}
}

func TestOnlyThoseWithDataAreListenedTo(t *testing.T) {
	e, _ := listening(t)
	clog.NewWithPlugin("errors").Errorf("%s is broken", "example.org.")
	clog.NewWithPlugin("kubernetes").Info("it is fine")
	clog.NewWithPlugin("file").Info("Transferred")
	if n := len(e.complaints); n != 0 {
		t.Errorf("%d complaints were heard", n)
	}
}

func TestWhatIsHeardIsBoundedAndHarmless(t *testing.T) {
	e, at := listening(t)
	file := clog.NewWithPlugin("file")
	for i := range 2 * maxComplaints {
		*at = at.Add(time.Millisecond)
		file.Errorf("Parsing zone %q: %v", fmt.Sprintf("z%d.example.", i), "bad\n\x1b[2J\u202e"+strings.Repeat("x", 1<<16))
	}
	if n := len(e.complaints); n != maxComplaints {
		t.Errorf("%d complaints are kept, want %d", n, maxComplaints)
	}
	last := e.Why("file", fmt.Sprintf("z%d.example.", 2*maxComplaints-1))
	if last.Text == "" || len(last.Text) > maxText || strings.ContainsAny(last.Text, "\n\x1b\u202e") {
		t.Errorf("%d octets: %.40q", len(last.Text), last.Text)
	}
	if first := e.Why("file", "z0.example."); first.Text != "" {
		t.Error("the oldest complaint did not make room")
	}
	many := make([]string, 10*maxZones)
	for i := range many {
		many[i] = fmt.Sprintf("m%d.example.", i)
	}
	clog.NewWithPlugin("azure").Errorf("Failed to update zones %v: %v", many, "x")
	if e.Why("azure", many[maxZones-1]).Text == "" || e.Why("azure", many[maxZones]).Text != "" {
		t.Errorf("a line about many zones is not heard about the first %d", maxZones)
	}
}

// At a reload the new ear listens before the old one stops.
func TestAnEarThatStopsLeavesTheOther(t *testing.T) {
	old, _ := listening(t)
	e, _ := listening(t)
	old.Stop()
	clog.NewWithPlugin("nomad").Warning(errors.New("connection refused"))
	if old.Why("nomad", "").Text != "" || e.Why("nomad", "").Reason != evidence.NotListening {
		t.Error("the ear that goes on is deaf, or the one that stopped is not")
	}
	var none *Ear
	if none.Why("nomad", "").Text != "" {
		t.Error("no ear hears something")
	}
}

func TestManySpeakAtOnce(t *testing.T) {
	e, _ := listening(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 100 {
				clog.NewWithPlugin("file").Errorf("Parsing zone %q: %v", fmt.Sprintf("z%d.example.", i), "x")
				e.Why("file", "z0.example.")
			}
		})
	}
	all.Wait()
	if n := len(e.complaints); n != 8 {
		t.Errorf("%d complaints, want 8", n)
	}
}
