package exchange_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/exchange"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// truncating answers over UDP with TC, and over TCP with what tcp does.
func truncating(tcp dns.Handler) dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		if w.LocalAddr().Network() == "tcp" {
			tcp.ServeDNS(w, m)
			return
		}
		r := new(dns.Msg).SetReply(m)
		r.Truncated = true
		_ = w.WriteMsg(r)
	})
}

func open(t *testing.T, u *upstream.Server) *exchange.Upstream {
	t.Helper()
	e, err := exchange.Open(u.Addr(), 300*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func TestOneTransportAloneIsAsked(t *testing.T) {
	u := open(t, upstream.Start(t, upstream.Config{Handler: truncating(upstream.Answer())}))
	m := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
	if !u.Plain() {
		t.Fatal("plain DNS is not plain")
	}
	if r, err := u.Over(t.Context(), m, exchange.UDP); err != nil || !r.Truncated {
		t.Errorf("over UDP: %v, %v", r, err)
	}
	if r, err := u.Over(t.Context(), m, exchange.TCP); err != nil || len(r.Answer) != 1 {
		t.Errorf("over TCP: %v, %v", r, err)
	}
	if r, err := u.Exchange(t.Context(), m); err != nil || len(r.Answer) != 1 {
		t.Errorf("over both: %v, %v", r, err)
	}
}

func TestAnAnswerThatIsCutAndNotHadOverTCPIsToldFromSilence(t *testing.T) {
	u := open(t, upstream.Start(t, upstream.Config{Handler: truncating(upstream.Silent())}))
	_, err := u.Exchange(t.Context(), new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA))
	var cut *exchange.CutError
	if !errors.As(err, &cut) {
		t.Errorf("got %v", err)
	}
}

func TestNoChoiceOfTransportOverTLS(t *testing.T) {
	u, err := exchange.Open("tls://192.0.2.53", exchange.Timeout)
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	if u.Plain() {
		t.Error("DNS over TLS is plain")
	}
}

// The probes of the whole process together.
func TestProbesAtOnceAreBounded(t *testing.T) {
	var mu sync.Mutex
	now, most := 0, 0
	full, release := make(chan struct{}), make(chan struct{})
	reached := sync.OnceFunc(func() { close(full) })
	u := open(t, upstream.Start(t, upstream.Config{Handler: dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		mu.Lock()
		now++
		most = max(most, now)
		if now == exchange.MaxProbes {
			reached()
		}
		mu.Unlock()
		<-release
		mu.Lock()
		now--
		mu.Unlock()
		_ = w.WriteMsg(new(dns.Msg).SetReply(m))
	})}))
	var wait sync.WaitGroup
	for range 2 * exchange.MaxProbes {
		wait.Go(func() { _, _ = u.Exchange(t.Context(), new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)) })
	}
	<-full
	// All slots are taken: one more waits, and ends with its context.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := u.Exchange(ctx, new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	mu.Lock()
	if most > exchange.MaxProbes {
		t.Errorf("%d at once, want at most %d", most, exchange.MaxProbes)
	}
	mu.Unlock()
	close(release)
	wait.Wait()
}
