package observe

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/coredns/coredns/plugin/test"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// copying is a plugin that passes a changed copy of each message on, as rewrite does.
func copying() *fake {
	return &fake{name: "rewrite", serve: func(f *fake, ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		return f.pass(ctx, onWrite{w, func(m *dns.Msg) error { return w.WriteMsg(m.Copy()) }}, r)
	}}
}

// voices is a plugin that answers SERVFAIL with another EDE each time.
func voices(codes ...uint16) *fake {
	calls := 0
	return &fake{name: "voices", serve: func(_ *fake, _ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		m := new(dns.Msg).SetRcode(r, dns.RcodeServerFailure)
		m.SetEdns0(1232, false)
		m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: codes[calls]}}
		calls++
		return dns.RcodeSuccess, w.WriteMsg(m)
	}}
}

// onWrite does something else with the messages that are written to it.
type onWrite struct {
	dns.ResponseWriter
	write func(*dns.Msg) error
}

func (w onWrite) WriteMsg(m *dns.Msg) error { return w.write(m) }

// firstOf is a plugin that asks twice, and answers with the first message while the second
// one is on its way up. Each call ends before the next event, so that it looks like a
// plugin that asks one thing after the other.
func firstOf(change func(*dns.Msg)) *fake {
	return &fake{name: "first", serve: func(f *fake, ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		var first *dns.Msg
		keep := func(m *dns.Msg) error { first = m; return nil }
		_, _ = f.pass(ctx, onWrite{&test.ResponseWriter{}, keep}, r)
		change(first)

		written, sent, returned := make(chan bool), make(chan bool), make(chan bool)
		go func() {
			defer close(returned)
			wait := func(*dns.Msg) error { close(written); <-sent; return nil }
			_, _ = f.pass(ctx, onWrite{&test.ResponseWriter{}, wait}, r.Copy())
		}()
		<-written
		err := w.WriteMsg(first)
		close(sent)
		<-returned
		return dns.RcodeSuccess, err
	}}
}

func TestAMessageIsNotTakenForAnotherOneThatIsOnItsWay(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*dns.Msg)
		codes  []uint16
		rcode  int
	}{
		"as it came":         {func(*dns.Msg) {}, []uint16{6}, dns.RcodeServerFailure},
		"without its OPT":    {func(m *dns.Msg) { m.Extra = nil }, nil, dns.RcodeServerFailure},
		"with another rcode": {func(m *dns.Msg) { m.Rcode = dns.RcodeRefused }, []uint16{6}, dns.RcodeRefused},
	} {
		t.Run(name, func(t *testing.T) {
			e, _ := under(fakes(firstOf(c.change), copying(), voices(6, 9))).fails(t, ask("www.example.org.", dns.TypeA))
			var codes []uint16
			for _, o := range e.Options {
				codes = append(codes, o.Code)
			}
			if len(codes) != len(c.codes) || len(codes) > 0 && codes[0] != c.codes[0] {
				t.Errorf("codes %v, want %v", codes, c.codes)
			}
			if e.Rcode != c.rcode || e.Changed != (evidence.Changed{}) {
				t.Errorf("rcode %d, changed %+v", e.Rcode, e.Changed)
			}
			if e.Upstream != "" {
				t.Errorf("upstream %s", e.Upstream)
			}
		})
	}
}

func TestWhoAskedTwiceIsNotSaidToHaveChangedTheRcode(t *testing.T) {
	rcodes := []int{dns.RcodeRefused, dns.RcodeServerFailure}
	calls := 0
	leaf := &fake{name: "leaf", serve: func(*fake, context.Context, dns.ResponseWriter, *dns.Msg) (int, error) {
		calls++
		return rcodes[(calls-1)%2], nil
	}}
	twice := &fake{name: "twice", serve: func(f *fake, ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		rcode, err := f.pass(ctx, w, r)
		_, _ = f.pass(ctx, w, r)
		return rcode, err
	}}
	once := &fake{name: "once", serve: func(f *fake, ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		_, err := f.pass(ctx, w, r)
		return dns.RcodeServerFailure, err
	}}
	if e, _ := under(fakes(twice, leaf)).fails(t, ask("www.example.org.", dns.TypeA)); e.Changed != (evidence.Changed{}) {
		t.Errorf("%+v", e.Changed)
	}
	want := evidence.Changed{Plugin: "once", From: dns.RcodeRefused, To: dns.RcodeServerFailure}
	if e, _ := under(fakes(once, leaf)).fails(t, ask("www.example.org.", dns.TypeA)); e.Changed != want {
		t.Errorf("%+v, want %+v", e.Changed, want)
	}
}

// A plugin that CoreDNS does not ship may pass a query on from goroutines, and return before
// they have begun. They then enter the plugins below while one above asks again. Only the
// race detector sees what is wrong with that.
func TestGoroutinesThatComeLateDoNotDisturbWhoAsksAgain(t *testing.T) {
	var late sync.WaitGroup
	hasty := &fake{name: "hasty", serve: func(f *fake, ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		for i := range 2 {
			late.Go(func() {
				r := r.Copy()
				r.Question[0].Name = fmt.Sprintf("n%d.example.org.", i)
				_, _ = f.pass(ctx, w, r)
			})
		}
		return dns.RcodeServerFailure, nil
	}}
	again := &fake{name: "again", serve: func(f *fake, ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (rcode int, err error) {
		for range 6 {
			rcode, err = f.pass(ctx, w, r)
		}
		return rcode, err
	}}
	b := under(fakes(again, hasty, underWay("errors"), underWay("loop"), leaving(dns.RcodeServerFailure, errBackend)))
	for range 2000 {
		if s := b.serve(context.Background(), ask("www.example.org.", dns.TypeA)); !s.failed || s.left != dns.RcodeServerFailure {
			t.Fatalf("failed %v with rcode %d, want a SERVFAIL", s.failed, s.left)
		}
	}
	late.Wait()
}
