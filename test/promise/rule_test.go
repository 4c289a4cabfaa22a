package promise_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// rule is what the lines of an ede directive mean for the wire.
type rule struct {
	// untouched is true where ede changes nothing at all: in shadow, and for names
	// that it does not explain.
	untouched bool
	// always is true where every query with OPT is told.
	always bool
	// dropped is true where no EDE of an upstream passes, silent where no
	// EXTRA-TEXT does.
	dropped, silent bool
	// kept is true where what an upstream says of an answer that did not fail is kept.
	kept bool
}

// interested reports whether a query shows interest in reasons. Nothing else is:
// DO, CD, a cookie and the like are set by proxies on behalf of clients that treat
// any reason as the last word.
func interested(m *dns.Msg) bool {
	if m.AuthenticatedData {
		return true
	}
	return slices.ContainsFunc(m.IsEdns0().Option, func(o dns.EDNS0) bool {
		return o.Option() == dns.EDNS0EDE || o.Option() == dns.EDNS0NSID
	})
}

// attaches reports whether ede may attach reasons to an answer to m.
func (r rule) attaches(m *dns.Msg, rcode int) bool {
	switch {
	case r.untouched, m.IsEdns0() == nil:
		return false
	case rcode == dns.RcodeRefused:
		return true
	case rcode == dns.RcodeSuccess || rcode == dns.RcodeNameError:
		return r.kept && interested(m)
	}
	return rcode == dns.RcodeServerFailure && (r.always || interested(m))
}

// same reports whether got, an answer with ede, is that of stock, but for what the
// rule allows. Octets are compared, not what they mean.
func (r rule) same(q query, got, stock []byte, aged bool) bool {
	if len(got) < headerSize || len(stock) < headerSize {
		return bytes.Equal(got, stock)
	}
	if q.m.IsTsig() != nil {
		got, stock = without(got, dns.TypeTSIG), without(stock, dns.TypeTSIG)
	}
	if q.m.IsEdns0() == nil && failing(stock) && !r.untouched {
		stock = without(stock, dns.TypeOPT) // RFC 6891 section 7
	}
	if aged {
		got, stock = timeless(got), timeless(stock)
	}
	if r.attaches(q.m, int(got[3]&0xf)) || failing(got) && (r.dropped || r.silent) {
		got, stock = reasonless(got), reasonless(stock)
	}
	return bytes.Equal(got, stock)
}

// signed reports whether an answer has a signature that verifies.
func signed(wire []byte, q query) bool {
	return dns.TsigVerify(slices.Clone(wire), keySecret, q.mac, false) == nil
}

func failing(wire []byte) bool {
	rcode := int(wire[3] & 0xf)
	return rcode == dns.RcodeServerFailure || rcode == dns.RcodeRefused
}

// expectation is what has to leave with ede: all of these, or one of the choices,
// signed if what leaves without ede over the same transport is.
type expectation struct{ all, choices, own [][]byte }

func (e expectation) count() int {
	if e.choices != nil {
		return 1
	}
	return len(e.all)
}

// expect tells what has to leave, from what leaves without ede over the same
// transport and over TCP, where all that the chain and the server core wrote is
// seen. Where these are two answers to one query, the one with the returned rcode
// leaves, the written one if both have it. Two things are no such pair: a zone
// transfer, whose last message has to say that it was cut off, and an answer with
// records, which a client has taken before the failure comes.
func (r rule) expect(q query, own, tcp [][]byte) expectation {
	n := len(tcp)
	if n < 2 || len(own) == 0 || r.untouched || !failing(tcp[n-1]) {
		return expectation{all: own, own: own}
	}
	if good := tcp[0][3]&0xf == dns.RcodeSuccess && hasAnswer(tcp[0]); good {
		if transfer(q.m) {
			return expectation{all: own, own: own}
		}
		return expectation{choices: [][]byte{own[0], withID(tcp[0], binary.BigEndian.Uint16(own[0]))}, own: own}
	}
	returned := tcp[n-1][3] & 0xf
	has := func(wire []byte) bool { return wire[3]&0xf == returned }
	leaving := tcp[slices.IndexFunc(tcp, has)]
	if i := slices.IndexFunc(own, has); i >= 0 && len(own) > 1 {
		return expectation{choices: own[i : i+1], own: own}
	}
	// A transport that takes one answer gets it from the first or the last that was
	// written.
	choices := [][]byte{withID(leaving, binary.BigEndian.Uint16(own[0]))}
	if has(own[0]) {
		choices = append(choices, own[0])
	}
	return expectation{choices: choices, own: own}
}

func hasAnswer(wire []byte) bool { return wire[6] != 0 || wire[7] != 0 }

func transfer(m *dns.Msg) bool {
	return len(m.Question) == 1 && (m.Question[0].Qtype == dns.TypeAXFR || m.Question[0].Qtype == dns.TypeIXFR)
}

// judge returns what is wrong with the answers to q, "" if nothing is.
func (r rule) judge(q query, e expectation, got [][]byte, aged bool) string {
	if len(got) != e.count() {
		return fmt.Sprintf("%d answers, want %d", len(got), e.count())
	}
	for i, wire := range got {
		wanted := e.choices
		if wanted == nil {
			wanted = e.all[i : i+1]
		}
		if !slices.ContainsFunc(wanted, func(w []byte) bool { return r.same(q, wire, w, aged) }) {
			return fmt.Sprintf("answer %d differs in more than it may", i+1)
		}
		if q.m.IsTsig() != nil && i < len(e.own) && signed(wire, q) != signed(e.own[i], q) {
			return fmt.Sprintf("answer %d is signed: %v, without ede: %v", i+1, signed(wire, q), signed(e.own[i], q))
		}
		if wrong := r.reasons(q, wire, wanted[0]); wrong != "" {
			return wrong
		}
	}
	return ""
}

// reasons returns what is wrong with the EDE options of an answer, which same
// has left out where they may be. gRPC sends back the query itself where nothing
// was written, with and without ede.
func (r rule) reasons(q query, wire, stock []byte) string {
	m := new(dns.Msg)
	if m.Unpack(wire) != nil || r.untouched || bytes.Equal(wire, stock) {
		return ""
	}
	all := server.ExtendedErrors(m)
	for i, e := range all {
		switch {
		case e.ExtraText == "the client's own":
			return "the client's own EDE comes back"
		case r.silent && e.ExtraText != "" && e.InfoCode != dns.ExtendedErrorCodeOther:
			return fmt.Sprintf("text %q where none may be sent", e.ExtraText)
		case r.always && i == 0 && e.InfoCode == dns.ExtendedErrorCodeNotReady && m.Rcode == dns.RcodeServerFailure:
			return "14 is the first option of a SERVFAIL"
		}
	}
	if r.attaches(q.m, m.Rcode) {
		return ""
	}
	before := new(dns.Msg)
	_ = before.Unpack(stock)
	for _, e := range all {
		has := func(other *dns.EDNS0_EDE) bool { return other.InfoCode == e.InfoCode }
		if r.dropped || !slices.ContainsFunc(server.ExtendedErrors(before), has) {
			return fmt.Sprintf("%d is sent where none may be attached", e.InfoCode)
		}
	}
	return ""
}
