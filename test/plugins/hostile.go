package plugins

import (
	"time"

	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"
)

// Lateness is how long after its return a late plugin answers.
const Lateness = 20 * time.Millisecond

// parseHostile makes a plugin that does with its writer what nobody should: it
// writes a message with each rcode; answers with the first after it has
// returned; writes the first and makes the second of the message afterwards;
// sends the first in packed form; or leaves another question in the query.
func parseHostile(args []string) (maker, error) {
	if err := words(args, "twice|late|mutate|raw|renamed", "", ""); err != nil {
		return nil, err
	}
	codes, err := rcodes(args[1:]...)
	if err != nil {
		return nil, err
	}
	serve := map[string]func(dns.ResponseWriter, *dns.Msg, int, int) error{
		"twice": twice, "late": late, "mutate": mutate, "raw": raw, "renamed": renamed,
	}[args[0]]
	return func(plugin.Handler) plugin.Handler {
		return end("hostile", func(w dns.ResponseWriter, r *dns.Msg) (int, error) {
			return dns.RcodeSuccess, serve(w, r, codes[0], codes[1])
		})
	}, nil
}

func twice(w dns.ResponseWriter, r *dns.Msg, first, second int) error {
	if err := w.WriteMsg(message(r, first)); err != nil {
		return err
	}
	return w.WriteMsg(message(r, second))
}

func late(w dns.ResponseWriter, r *dns.Msg, rcode, _ int) error {
	m := message(r, rcode)
	time.AfterFunc(Lateness, func() { _ = w.WriteMsg(m) })
	return nil
}

func mutate(w dns.ResponseWriter, r *dns.Msg, rcode, other int) error {
	m := message(r, rcode)
	if err := w.WriteMsg(m); err != nil {
		return err
	}
	m.Rcode = other
	m.Answer = append(m.Answer, address("forged.example.org.", 66))
	m.Ns, m.Extra = nil, nil
	m.Authoritative, m.Question[0].Name = !m.Authoritative, "forged.example.org."
	return nil
}

func raw(w dns.ResponseWriter, r *dns.Msg, rcode, _ int) error {
	wire, err := message(r, rcode).Pack()
	if err != nil {
		return err
	}
	_, err = w.Write(wire)
	return err
}

func renamed(w dns.ResponseWriter, r *dns.Msg, rcode, _ int) error {
	m := message(r, rcode)
	r.Question = []dns.Question{{Name: "renamed.example.org.", Qtype: dns.TypeTXT, Qclass: dns.ClassINET}}
	r.CheckingDisabled, r.RecursionDesired = true, false
	return w.WriteMsg(m)
}

// message has a record if it is a success.
func message(r *dns.Msg, rcode int) *dns.Msg {
	m := answer(r)
	m.Rcode = rcode
	if rcode != dns.RcodeSuccess {
		m.Answer = nil
		m.Ns = []dns.RR{soa(r.Question[0].Name)}
	}
	// A question of its own, which may be changed.
	m.Question = []dns.Question{r.Question[0]}
	return m
}
