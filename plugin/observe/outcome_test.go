package observe

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/test/invariant"
)

var errBackend = errors.New("backend is gone")

func write(w dns.ResponseWriter, r *dns.Msg, rcode int) {
	_ = w.WriteMsg(new(dns.Msg).SetRcode(r, rcode))
}

// leaving returns a plugin that writes the messages, in order, and returns the
// rest.
func leaving(rcode int, err error, messages ...int) *fake {
	return &fake{name: "leaver", serve: func(_ *fake, _ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		for _, m := range messages {
			write(w, r, m)
		}
		return rcode, err
	}}
}

// drop is the rcode of a plugin that leaves the client without an answer.
const drop = dns.RcodeSuccess

func TestExactlyOneAnswerLeavesInEveryShape(t *testing.T) {
	const ok, servfail, refused, nxdomain = dns.RcodeSuccess, dns.RcodeServerFailure, dns.RcodeRefused, dns.RcodeNameError
	for _, c := range []struct {
		name   string
		plugin *fake
		failed bool
		shape  evidence.Shape
		sent   []int
		// stock is what the client of a PassThrough ladder gets of the chain.
		stock []int
		rcode int
	}{
		{"SERVFAIL returned, with an error", leaving(servfail, errBackend), true, evidence.Returned, []int{servfail}, nil, servfail},
		{"REFUSED returned, silently", leaving(refused, nil), true, evidence.Returned, []int{refused}, nil, refused},
		{"SERVFAIL written", leaving(ok, nil, servfail), true, evidence.Written, []int{servfail}, []int{servfail}, ok},
		{"SERVFAIL written, then an error", leaving(ok, errBackend, servfail), true, evidence.WrittenError, []int{servfail}, []int{servfail}, ok},
		{"REFUSED written and returned, as template", leaving(refused, nil, refused), true, evidence.WrittenReturned, []int{refused}, []int{refused}, refused},
		{"empty NOERROR, then SERVFAIL, as nomad", leaving(servfail, nil, ok), true, evidence.WrittenReturned, []int{servfail}, []int{ok}, servfail},
		{"SERVFAIL written, REFUSED returned: the returned one leaves", leaving(refused, nil, servfail), true, evidence.WrittenReturned, []int{refused}, []int{servfail}, refused},
		{"nothing written and an error, as a rate limiter or minimal above etcd", leaving(ok, errBackend), false, 0, nil, nil, ok},
		{"a drop stays a drop", leaving(drop, nil), false, 0, nil, nil, ok},
		{"an empty NOERROR goes out when nothing follows", leaving(ok, nil, ok), false, 0, []int{ok}, []int{ok}, ok},
		{"an empty NOERROR goes out before an error", leaving(ok, errBackend, ok), false, 0, []int{ok}, []int{ok}, ok},
		{"NXDOMAIN goes out", leaving(ok, nil, nxdomain), false, 0, []int{nxdomain}, []int{nxdomain}, ok},
		{"a failure after an answer adds none", leaving(servfail, errBackend, nxdomain), false, 0, []int{nxdomain}, []int{nxdomain}, ok},
		{"NOTIMP is the server core's to answer", leaving(dns.RcodeNotImplemented, nil), false, 0, nil, nil, dns.RcodeNotImplemented},
		{"only the first of two failing messages leaves", leaving(ok, nil, refused, servfail), true, evidence.Written, []int{refused}, []int{refused, servfail}, ok},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := under(fakes(c.plugin)).serve(context.Background(), ask("www.example.org.", dns.TypeA))
			if s.failed != c.failed || s.failed && s.shape != c.shape {
				t.Errorf("failed %v, shape %v; want %v, %v", s.failed, s.shape, c.failed, c.shape)
			}
			if s.failed {
				invariant.Hold(t, s.run.Evidence(s.shape, s.left, s.err))
			}
			if got := s.client.rcodes(); !slices.Equal(got, c.sent) {
				t.Errorf("sent %v, want %v", got, c.sent)
			}
			if s.rcode != c.rcode {
				t.Errorf("returned rcode %d, want %d", s.rcode, c.rcode)
			}

			shadow := under(fakes(c.plugin))
			shadow.ladder.PassThrough = true
			s = shadow.serve(context.Background(), ask("www.example.org.", dns.TypeA))
			if got := s.client.rcodes(); !slices.Equal(got, c.stock) {
				t.Errorf("in shadow %v leave, want what the chain wrote: %v", got, c.stock)
			}
			if s.failed != c.failed {
				t.Errorf("in shadow failed is %v, want %v", s.failed, c.failed)
			}
		})
	}
}

func TestATransferThatIsCutOffKeepsItsRcode(t *testing.T) {
	b := under(fakes(leaving(dns.RcodeServerFailure, errBackend, dns.RcodeNameError)))
	s := b.serve(context.Background(), ask("example.org.", dns.TypeAXFR))
	if s.failed || s.rcode != dns.RcodeServerFailure {
		t.Errorf("failed %v, rcode %d; want the SERVFAIL to pass", s.failed, s.rcode)
	}
}

func TestThePackedMessageOfAPluginIsAnAnswer(t *testing.T) {
	b := under(fakes(&fake{name: "packer", serve: func(_ *fake, _ context.Context, w dns.ResponseWriter, _ *dns.Msg) (int, error) {
		_, err := w.Write([]byte("packed"))
		return dns.RcodeServerFailure, err
	}}))
	if s := b.serve(context.Background(), ask("www.example.org.", dns.TypeA)); s.failed || s.rcode != dns.RcodeSuccess {
		t.Errorf("failed %v, rcode %d; want no second answer", s.failed, s.rcode)
	}
}

func TestARunKeepsTheClientsQuestionThroughARewrite(t *testing.T) {
	rewriter := &fake{name: "rewriter", serve: func(f *fake, ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		r.Question[0].Name = "internal.example.net."
		return f.pass(ctx, w, r)
	}}
	_, s := under(fakes(rewriter, leaving(dns.RcodeServerFailure, errBackend))).fails(t, ask("www.example.org.", dns.TypeA))
	if got := s.run.Question().Name; got != "www.example.org." {
		t.Errorf("the question is %s", got)
	}
}

func TestAPanicIsEvidenceOfThePluginThatPanicked(t *testing.T) {
	b := under(fakes(underWay("outer"), &fake{name: "dns64", serve: func(*fake, context.Context, dns.ResponseWriter, *dns.Msg) (int, error) {
		panic("nil\ndereference\x1b[31m")
	}}))
	run := b.ladder.Begin(context.Background(), new(messages), ask("www.example.org.", dns.TypeAAAA))
	func() {
		defer func() {
			e := run.Panicked(recover())
			invariant.Hold(t, e)
			if e.Shape != evidence.Panicked || e.At != "dns64" || e.Panic != "nil dereference[31m" {
				t.Errorf("shape %v at %s: %q", e.Shape, e.At, e.Panic)
			}
		}()
		_, _ = b.top.ServeDNS(run, run, ask("www.example.org.", dns.TypeAAAA))
	}()
}
