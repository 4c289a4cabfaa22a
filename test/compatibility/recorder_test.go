//go:build linux

package compatibility_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// recorder is a server that keeps what it is asked. It answers names by how they
// begin, and knows the root.
type recorder struct {
	answer func(m *dns.Msg) *dns.Msg

	mu      sync.Mutex
	queries []*dns.Msg
}

// record starts one at port 53 of an address, over UDP and TCP.
func record(t *testing.T, address string, answer func(m *dns.Msg) *dns.Msg) *recorder {
	t.Helper()
	r := &recorder{answer: answer}
	for _, network := range []string{"udp", "tcp"} {
		started := make(chan error, 1)
		s := &dns.Server{Addr: address + ":53", Net: network, Handler: r, NotifyStartedFunc: func() { started <- nil }}
		go func() { started <- s.ListenAndServe() }()
		if err := <-started; err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Shutdown() })
	}
	return r
}

// ServeDNS implements dns.Handler.
func (r *recorder) ServeDNS(w dns.ResponseWriter, m *dns.Msg) {
	if len(m.Question) == 0 {
		return
	}
	r.mu.Lock()
	r.queries = append(r.queries, m)
	r.mu.Unlock()
	_ = w.WriteMsg(r.answer(m))
}

// asked returns the queries for the IPv4 addresses of a name, oldest first.
func (r *recorder) asked(name string) []*dns.Msg {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []*dns.Msg
	for _, m := range r.queries {
		if q := m.Question[0]; q.Qtype == dns.TypeA && dns.CanonicalName(q.Name) == dns.Fqdn(name) {
			found = append(found, m)
		}
	}
	return found
}

// reply is an answer with a code, and with OPT and options if the query has OPT.
func reply(m *dns.Msg, rcode int, options ...dns.EDNS0) *dns.Msg {
	r := new(dns.Msg).SetRcode(m, rcode)
	r.RecursionAvailable = true
	if opt := m.IsEdns0(); opt != nil {
		r.SetEdns0(1232, opt.Do())
		r.IsEdns0().Option = options
	}
	return r
}

// optionNames are those of RFCs and of the registry, in short.
var optionNames = map[uint16]string{
	dns.EDNS0NSID: "NSID", dns.EDNS0DAU: "DAU", dns.EDNS0DHU: "DHU", dns.EDNS0N3U: "N3U", dns.EDNS0SUBNET: "ECS",
	dns.EDNS0COOKIE: "COOKIE", dns.EDNS0TCPKEEPALIVE: "KEEPALIVE", dns.EDNS0PADDING: "PADDING", dns.EDNS0EDE: "EDE",
}

// shape is what a query has in addition to its question and RD, and whether it shows
// interest in the reasons of a failure: AD, an EDE option or NSID do.
func shape(m *dns.Msg) (text string, interest bool) {
	opt := m.IsEdns0()
	parts := []string{"no OPT"}
	if opt != nil {
		parts[0] = "OPT"
	}
	for name, set := range map[string]bool{"AD": m.AuthenticatedData, "CD": m.CheckingDisabled, "DO": opt != nil && opt.Do()} {
		if set {
			parts = append(parts, name)
		}
	}
	slices.Sort(parts[1:])
	interest = m.AuthenticatedData
	if opt != nil {
		options := slices.Clone(opt.Option)
		slices.SortFunc(options, func(a, b dns.EDNS0) int { return cmp.Compare(a.Option(), b.Option()) })
		for _, o := range options {
			parts = append(parts, cmp.Or(optionNames[o.Option()], fmt.Sprintf("option %d", o.Option())))
			interest = interest || o.Option() == dns.EDNS0EDE || o.Option() == dns.EDNS0NSID
		}
	}
	return strings.Join(parts, " "), interest
}
