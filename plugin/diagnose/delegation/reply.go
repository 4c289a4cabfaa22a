package delegation

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"

	"github.com/miekg/dns"
)

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

// outcomeOf sorts the error of an exchange. Only what the server's side did is
// told apart; all else, such as a permission missing here, is no outcome.
func outcomeOf(err error) Outcome {
	var timeout net.Error
	switch {
	case errors.Is(err, errBudget):
		return Unasked
	case errors.Is(err, ErrReply), errors.As(err, new(*dns.Error)):
		return Malformed
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET),
		errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return Closed
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return NoRoute
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return Timeout
	}
	return Unasked
}
