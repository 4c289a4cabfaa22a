package compare

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"syscall"

	"github.com/miekg/dns"
)

// Kind is how a resolver took the question.
type Kind uint8

const (
	Silent  Kind = iota // no usable reply: no vote
	Answers             // NOERROR or NXDOMAIN
	Fails               // SERVFAIL: it tried and could not
	Refuses             // REFUSED, NOTAUTH, NOTIMP, FORMERR...: its policy or ability, no vote
)

var kindNames = [...]string{"silent", "answers", "fails", "refuses"}

// String returns a stable name, fit for a metric label.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Vote is what one resolver said.
type Vote struct {
	Name      string
	Kind      Kind
	Rcode     int    // valid unless Kind is Silent
	Err       string // one of a closed set of phrases, if Kind is Silent
	Validated bool   // the answer had AD
	ByRoot    bool   // the root denies the name: its top-level domain does not exist
}

func vote(ctx context.Context, q dns.Question, r Resolver) Vote {
	v := Vote{Name: r.Name}
	m, err := r.Ask(ctx, q)
	switch {
	case err != nil:
		v.Err = phraseOf(err)
		return v
	case m == nil:
		v.Err = "no reply"
		return v
	}
	v.Rcode = m.Rcode
	switch m.Rcode {
	case dns.RcodeSuccess, dns.RcodeNameError:
		v.Kind = Answers
		v.Validated = m.AuthenticatedData
		v.ByRoot = m.Rcode == dns.RcodeNameError && deniedByRoot(m)
		if delegates(m) {
			// An authoritative server that points elsewhere did not resolve.
			v.Kind = Refuses
		}
	case dns.RcodeServerFailure:
		v.Kind = Fails
	default:
		v.Kind = Refuses
	}
	return v
}

// delegates tells a referral, which answers nothing, from a NODATA answer.
func delegates(m *dns.Msg) bool {
	if m.Rcode != dns.RcodeSuccess || len(m.Answer) > 0 || m.Authoritative {
		return false
	}
	ns := false
	for _, rr := range m.Ns {
		switch rr.(type) {
		case *dns.SOA:
			return false
		case *dns.NS:
			ns = true
		}
	}
	return ns
}

// deniedByRoot reports whether the SOA of a denial is that of the root (RFC 2308 section 3).
func deniedByRoot(m *dns.Msg) bool {
	return slices.ContainsFunc(m.Ns, func(rr dns.RR) bool {
		return rr.Header().Rrtype == dns.TypeSOA && rr.Header().Name == "."
	})
}

func (v Vote) rcode() string {
	if name, ok := dns.RcodeToString[v.Rcode]; ok {
		return name
	}
	return "another RCODE"
}

func (v Vote) what() string {
	switch {
	case v.Kind == Silent:
		return v.Err
	case v.Kind == Refuses && v.Rcode == dns.RcodeSuccess:
		return "a referral"
	}
	return v.rcode()
}

// phraseOf keeps the error's kind and drops its text, which may hold anything.
func phraseOf(err error) string {
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection closed"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "unreachable"
	}
	return "error"
}
