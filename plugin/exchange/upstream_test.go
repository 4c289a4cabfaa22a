package exchange_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/exchange"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

func TestAResolverIsWrittenAsForwardWritesIt(t *testing.T) {
	for _, to := range []string{
		"192.0.2.53", "192.0.2.53:5300", "2001:db8::53", "[2001:db8::53]:5300", "dns://192.0.2.53", "tls://192.0.2.53",
		"tls://192.0.2.53%dns.example.net", "tls://[2001:db8::53]:8853%dns.example.net", "https://dns.example.net", "https://192.0.2.53/dns-query",
	} {
		u, err := exchange.Open(to, exchange.Timeout)
		if err != nil {
			t.Errorf("%s: %v", to, err)
			continue
		}
		if u.Addr != to {
			t.Errorf("%s is shown as %s", to, u.Addr)
		}
		u.Close()
	}
	for _, to := range []string{
		"", "resolver", "192.0.2", "192.0.2.53:port", "tls://dns.example.net", "https://", "https://dns.example.net/other", "quic://192.0.2.53", "grpc://192.0.2.53", "gopher://192.0.2.53",
	} {
		if u, err := exchange.Open(to, exchange.Timeout); err == nil {
			u.Close()
			t.Errorf("%q is taken for a resolver", to)
		} else if !strings.Contains(err.Error(), "is not a resolver: want ") {
			t.Errorf("%q: %v does not say what is wanted", to, err)
		}
	}
}

func TestWhatComesBackIsTheAnswerToTheQuestion(t *testing.T) {
	for name, test := range map[string]struct {
		config  upstream.Config
		scheme  string
		want    error // nil is an answer
		failing bool  // with any error
	}{
		"an answer":                                   {config: upstream.Config{}},
		"an answer that is cut over UDP":              {config: upstream.Config{Handler: upstream.Truncated()}},
		"the answer to another question":              {config: upstream.Config{Handler: upstream.WrongQuestion()}, want: exchange.ErrQuestion},
		"an answer with another id":                   {config: upstream.Config{Handler: upstream.WrongID()}, failing: true},
		"what is no DNS message":                      {config: upstream.Config{Handler: upstream.Garbage()}, failing: true},
		"TLS by an authority that nobody trusts":      {config: upstream.Config{Transport: upstream.TLS}, scheme: "tls://", failing: true},
		"HTTPS by an authority that nobody trusts":    {config: upstream.Config{Transport: upstream.HTTPS}, scheme: "https://", failing: true},
		"silence, for as long as the transport waits": {config: upstream.Config{Handler: upstream.Silent()}, failing: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := upstream.Start(t, test.config)
			u, err := exchange.Open(test.scheme+server.Addr(), exchange.Timeout)
			if err != nil {
				t.Fatal(err)
			}
			defer u.Close()
			m := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
			sent := m.Copy()
			reply, err := u.Exchange(context.Background(), m)
			switch {
			case test.failing && err == nil, test.want != nil && !errors.Is(err, test.want):
				t.Errorf("got %v, %v", reply, err)
			case !test.failing && test.want == nil && (err != nil || len(reply.Answer) == 0):
				t.Errorf("got %v, %v", reply, err)
			}
			if m.String() != sent.String() {
				t.Error("the message that was sent is changed")
			}
		})
	}
}
