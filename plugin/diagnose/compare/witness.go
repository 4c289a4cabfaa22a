package compare

import (
	"context"

	"github.com/miekg/dns"
)

// rootSOA is a question for a signed record that every resolver of the public tree gives.
var rootSOA = dns.Question{Name: ".", Qtype: dns.TypeSOA, Qclass: dns.ClassINET}

// Witnessed reports whether the answers in res to q count against failing, whatever
// DNSSEC has to do with its failure. They do if failing is not seen to validate, or if one
// who answers validates too (RFC 4035 section 5.5: a validator answers SERVFAIL where one
// that does not validate answers). failing and others are those that were compared. It
// asks failing one question, and each of the others at most two.
func (res Result) Witnessed(ctx context.Context, q dns.Question, failing Resolver, others []Resolver) bool {
	if res.Validated {
		return true
	}
	switch m, err := failing.Checked(ctx, rootSOA); {
	case err != nil || m == nil:
		return false // not known
	case !m.AuthenticatedData:
		return true
	}
	for i, v := range res.Others {
		if v.Kind == Answers && validates(ctx, q, others[i]) {
			return true
		}
	}
	return false
}

// validates reports whether r validates and answers q all the same. Without AD that is
// an answer of a zone that it takes for unsigned.
func validates(ctx context.Context, q dns.Question, r Resolver) bool {
	m, err := r.Checked(ctx, q)
	if err != nil || m == nil || m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError {
		return false
	}
	if m.AuthenticatedData {
		return true
	}
	m, err = r.Checked(ctx, rootSOA)
	return err == nil && m != nil && m.AuthenticatedData
}
