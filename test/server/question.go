package server

import (
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"
)

// bufferSize is what most stub resolvers with EDNS offer (DNS flag day 2020).
const bufferSize = 1232

// Option changes a question of Ask or Message. Without any it is a plain
// RFC 1035 query with RD.
type Option func(*question)

type question struct {
	msg     *dns.Msg
	network string
}

// EDNS adds an OPT record that offers 1232 octets, with the options given, after those
// that it may hold already. Like dig it sets AD, which shows interest in reasons.
func EDNS(options ...dns.EDNS0) Option {
	return func(q *question) { opt := q.opt(); opt.Option = append(opt.Option, options...) }
}

// BufferSize adds an OPT record that offers that many octets.
func BufferSize(octets uint16) Option {
	return func(q *question) { q.opt().SetUDPSize(octets) }
}

// DO adds an OPT record with the DO flag.
func DO() Option { return func(q *question) { q.opt().SetDo() } }

// Uninterested clears AD, as stubs leave it. It stands after what adds the OPT record.
func Uninterested() Option { return func(q *question) { q.msg.AuthenticatedData = false } }

// CD sets the CD flag.
func CD() Option { return func(q *question) { q.msg.CheckingDisabled = true } }

// With has edit change the query.
func With(edit func(m *dns.Msg)) Option { return func(q *question) { edit(q.msg) } }

// Over has Ask use another network than udp; see Query.
func Over(network string) Option { return func(q *question) { q.network = network } }

func (q *question) opt() *dns.OPT {
	if opt := q.msg.IsEdns0(); opt != nil {
		return opt
	}
	q.msg.SetEdns0(bufferSize, false)
	q.msg.AuthenticatedData = true
	return q.msg.IsEdns0()
}

var lastID atomic.Uint32

// NextID returns an id that none of the last 65535 queries of this process has,
// so that the log line of one is found by it.
func NextID() uint16 { return uint16(lastID.Add(1)) }

func compose(name string, qtype uint16, options []Option) *question {
	q := &question{msg: new(dns.Msg), network: "udp"}
	q.msg.SetQuestion(dns.Fqdn(name), qtype)
	q.msg.Id = NextID()
	for _, option := range options {
		option(q)
	}
	return q
}

// Message makes a query for Query, Exchange and Datagrams.
func Message(name string, qtype uint16, options ...Option) *dns.Msg {
	return compose(name, qtype, options).msg
}

// Ask sends a query and returns the answer; none fails the test.
func Ask(t testing.TB, addr, name string, qtype uint16, options ...Option) *dns.Msg {
	t.Helper()
	q := compose(name, qtype, options)
	return Query(t, addr, q.network, q.msg)
}

// ExtendedErrors returns the EDE options of m in wire order.
func ExtendedErrors(m *dns.Msg) []*dns.EDNS0_EDE {
	opt := m.IsEdns0()
	if opt == nil {
		return nil
	}
	var edes []*dns.EDNS0_EDE
	for _, option := range opt.Option {
		if ede, ok := option.(*dns.EDNS0_EDE); ok {
			edes = append(edes, ede)
		}
	}
	return edes
}
