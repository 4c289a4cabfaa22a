package incident

import (
	"strconv"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// Reason is the upstream's own reason for a failure: what to do depends on it, so that
// each is an incident of its own.
type Reason struct {
	// Rcode is "SERVFAIL" or "REFUSED", empty where there is no reason.
	Rcode string
	// Code is the most telling INFO-CODE, or what option.Label makes of one that nobody
	// has assigned: an upstream could send those without end.
	Code string
}

// IDOf returns the incident of a failure with the verdict v, for names that count under
// zone.
func IDOf(v *cause.Verdict, rcode int, zone string) ID {
	id := ID{Cause: v.Cause.ID, At: v.At, Upstream: v.Upstream, Zone: zone, NoRD: v.NoRD()}
	if v.ByReason() {
		id.Reason = Reason{Rcode: dns.RcodeToString[rcode], Code: option.Label(v.Code())}
	}
	return id
}

// Codes are the INFO-CODE as in a log line, none if it is not assigned.
func (r Reason) Codes() []uint16 {
	code, err := strconv.ParseUint(r.Code, 10, 16)
	if err != nil {
		return nil
	}
	return []uint16{uint16(code)}
}
