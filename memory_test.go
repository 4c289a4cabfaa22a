package ede

import (
	"context"
	"slices"
	"syscall"
	"testing"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/test"

	"github.com/miekg/dns"
)

// last keeps the message that was written last.
type last struct {
	test.ResponseWriter
	reply *dns.Msg
}

func (w *last) WriteMsg(m *dns.Msg) error { w.reply = m; return nil }

// A good answer from cache may be what set off the refresh that failed: the
// failure that follows it from cache still has its cause.
func TestAnAnswerOutOfTheCacheForgetsNoFailure(t *testing.T) {
	query := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
	query.SetEdns0(1232, false)
	query.AuthenticatedData = true // it shows interest in reasons
	hit := -1
	cache := &link{name: "cache", serve: func(next plugin.Handler, ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		if hit < 0 {
			return plugin.NextOrFailure("cache", next, ctx, w, r)
		}
		return dns.RcodeSuccess, w.WriteMsg(new(dns.Msg).SetRcode(r, hit))
	}}
	dead := &link{name: "forward", serve: func(plugin.Handler, context.Context, dns.ResponseWriter, *dns.Msg) (int, error) {
		return dns.RcodeServerFailure, syscall.ECONNREFUSED
	}}
	h := chain(t, "ede {\n log off\n}", cache, dead)
	var codes []uint16
	for _, hit = range []int{-1, dns.RcodeSuccess, dns.RcodeServerFailure} {
		w := new(last)
		if _, err := h.ServeDNS(t.Context(), w, query.Copy()); err != nil && hit >= 0 {
			t.Fatal(err)
		}
		codes = nil
		if opt := w.reply.IsEdns0(); opt != nil {
			for _, o := range opt.Option {
				if ede, ok := o.(*dns.EDNS0_EDE); ok {
					codes = append(codes, ede.InfoCode)
				}
			}
		}
	}
	if !slices.Equal(codes, []uint16{dns.ExtendedErrorCodeNetworkError}) {
		t.Errorf("the failure from cache has the codes %v, want its cause's alone", codes)
	}
}

func TestTheCaseOfANameMakesNoIncidentOfItsOwn(t *testing.T) {
	fail := &link{name: "hosts", serve: func(plugin.Handler, context.Context, dns.ResponseWriter, *dns.Msg) (int, error) {
		return dns.RcodeServerFailure, nil
	}}
	e := chain(t, "ede {\n log off\n}", fail).(*Ede)
	for _, name := range []string{"www.example.co.uk.", "WWW.Example.CO.UK."} {
		_, _ = e.ServeDNS(t.Context(), new(last), new(dns.Msg).SetQuestion(name, dns.TypeA))
	}
	all := e.explainer.Table.Incidents()
	if len(all) != 1 || all[0].Zone != "example.co.uk." || all[0].Count != 2 {
		t.Errorf("incidents are %+v, want one of two failures of example.co.uk.", all)
	}
}
