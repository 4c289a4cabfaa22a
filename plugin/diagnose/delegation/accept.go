package delegation

import (
	"errors"
	"fmt"
	"strings"

	"github.com/miekg/dns"
)

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
