package delegation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/miekg/dns"
)

// reply is what asking a server came to; msg is nil if none came.
type reply struct {
	msg     *dns.Msg
	outcome Outcome
	cut     string
	rtt     time.Duration
	// rejected is true if the question was first rejected with EDNS.
	rejected bool
}

// came tells whether the server sent anything that answers.
func (rep reply) came() bool { return rep.msg != nil || rep.outcome == Cut }

// undressed tells an answer to a question without EDNS of a server that did not reject one with it.
func (rep reply) undressed() bool { return rep.outcome == AnswersBare && !rep.rejected }

// then is what rep, of one try, and got, of another, come to.
func (rep reply) then(got reply) reply {
	switch {
	case got.msg != nil && !(rep.outcome == Cut && got.undressed()):
		return got
	case got.outcome == Cut && (rep.msg == nil || rep.undressed()):
		return got
	case rep.came(), got.outcome == Unasked && rep.outcome != Unasked:
		return rep
	}
	return got
}

func question(name string, qtype uint16, edns bool) *dns.Msg {
	q := new(dns.Msg)
	q.SetQuestion(name, qtype)
	q.RecursionDesired = false
	if edns {
		// DO makes a referral bring its DS. 1232 octets avoid fragments.
		q.SetEdns0(1232, true)
	}
	return q
}

func ednsRejected(rcode int) bool {
	return rcode == dns.RcodeFormatError || rcode == dns.RcodeNotImplemented || rcode == dns.RcodeBadVers
}

func (rep reply) describe() string {
	switch {
	case rep.outcome == Refers:
		return "refers to " + short(rep.cut)
	case rep.msg != nil && rep.outcome == Answers:
		return dns.RcodeToString[rep.msg.Rcode]
	}
	return rep.outcome.String()
}

// judge says what reply m to a question for qname means, coming from a server of
// zone. For a referral, cut is the zone referred to.
func judge(m *dns.Msg, zone, qname string) (o Outcome, cut string) {
	switch m.Rcode {
	case dns.RcodeSuccess, dns.RcodeNameError:
	case dns.RcodeRefused:
		return Refused, ""
	case dns.RcodeServerFailure:
		return ServFail, ""
	case dns.RcodeFormatError:
		return FormErr, ""
	case dns.RcodeNotAuth:
		return NotAuth, ""
	default:
		return OtherRcode, ""
	}
	cut, down := referral(m, zone, qname)
	switch {
	case down:
		return Refers, cut
	case m.Authoritative:
		return Answers, ""
	case cut != "" && cut != zone && dns.IsSubDomain(cut, zone):
		return UpwardReferral, ""
	}
	return NotAuth, ""
}

// referral returns the owner of the NS records that m brings in place of an
// answer, and whether it lies below zone on the way to qname. A reply with AA
// set counts only without SOA: some servers set AA in their referrals, and an
// answer without data may carry the zone's own NS records.
func referral(m *dns.Msg, zone, qname string) (cut string, down bool) {
	if m.Rcode != dns.RcodeSuccess || len(m.Answer) > 0 {
		return "", false
	}
	for _, rr := range m.Ns {
		switch rr := rr.(type) {
		case *dns.SOA:
			return "", false
		case *dns.NS:
			if cut == "" {
				cut = dns.CanonicalName(rr.Hdr.Name)
			}
		}
	}
	if cut == "" {
		return "", false
	}
	return cut, cut != zone && dns.IsSubDomain(zone, cut) && dns.IsSubDomain(cut, qname)
}

// nsNames returns the name servers that rrs give for owner, at most maxNames.
func nsNames(rrs []dns.RR, owner string) []string {
	var names list
	for _, rr := range rrs {
		ns, ok := rr.(*dns.NS)
		if ok && dns.CanonicalName(ns.Hdr.Name) == owner && len(names.items) < maxNames {
			names.add(dns.CanonicalName(ns.Ns))
		}
	}
	return names.items
}

func hasDS(rrs []dns.RR, owner string) bool {
	for _, rr := range rrs {
		if ds, ok := rr.(*dns.DS); ok && dns.CanonicalName(ds.Hdr.Name) == owner {
			return true
		}
	}
	return false
}

func soaOf(rrs []dns.RR) *dns.SOA {
	for _, rr := range rrs {
		if soa, ok := rr.(*dns.SOA); ok {
			return soa
		}
	}
	return nil
}

// outcomeOf sorts the error of an exchange. What is neither the server's doing nor
// that of the way there is no outcome.
func outcomeOf(err error) Outcome {
	var timeout net.Error
	var cut *CutError
	switch {
	case errors.As(err, &cut):
		if o := outcomeOf(cut.Err); !o.silent() && !o.barred() {
			return o
		}
		return Cut
	case errors.Is(err, errBudget):
		return Unasked
	case errors.Is(err, ErrReply), errors.As(err, new(*dns.Error)):
		return Malformed
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET),
		errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return Closed
	case isAny(err, syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN, syscall.EHOSTDOWN, syscall.EINVAL):
		// EINVAL is that of a blackhole route.
		return NoRoute
	case isAny(err, syscall.EPERM, syscall.EACCES):
		return Barred
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return Timeout
	}
	return Unasked
}

func isAny(err error, of ...syscall.Errno) bool {
	return slices.ContainsFunc(of, func(e syscall.Errno) bool { return errors.Is(err, e) })
}

// ErrReply says that something came back that is no answer to the question: it
// does not parse, or has another id or question.
var ErrReply = errors.New("reply does not fit the question")

// accept parses wire as the reply to q. Any error wraps ErrReply.
//
// A reply without a question is let through if it reports a failure: some
// servers refuse with the bare header (RFC 1035 does not ask for more of a
// FORMERR).
func accept(wire []byte, q *dns.Msg) (*dns.Msg, error) {
	m := new(dns.Msg)
	if err := m.Unpack(wire); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrReply, err)
	}
	switch {
	case m.Id != q.Id:
		return nil, fmt.Errorf("%w: id", ErrReply)
	case !m.Response || m.Opcode != q.Opcode:
		return nil, fmt.Errorf("%w: not a response to a query", ErrReply)
	case len(m.Question) == 0 && failed(m.Rcode):
		return m, nil
	case len(m.Question) != 1 || !sameQuestion(m.Question[0], q.Question[0]):
		return nil, fmt.Errorf("%w: question", ErrReply)
	}
	return m, nil
}

func failed(rcode int) bool {
	return rcode != dns.RcodeSuccess && rcode != dns.RcodeNameError
}

func sameQuestion(a, b dns.Question) bool {
	return a.Qtype == b.Qtype && a.Qclass == b.Qclass && strings.EqualFold(a.Name, b.Name)
}
