package option

import "strconv"

// Codes that are handled in a way of their own.
const (
	otherError = 0
	notReady   = 14
)

// The range of codes that nobody assigns (RFC 8914 section 5.2).
const privateFirst = 49152

// purposes is the IANA registry "Extended DNS Error Codes" in its own spelling.
// miekg/dns ends at 30 and spells some of them differently.
var purposes = [...]string{
	0:  "Other Error",
	1:  "Unsupported DNSKEY Algorithm",
	2:  "Unsupported DS Digest Type",
	3:  "Stale Answer",
	4:  "Forged Answer",
	5:  "DNSSEC Indeterminate",
	6:  "DNSSEC Bogus",
	7:  "Signature Expired",
	8:  "Signature Not Yet Valid",
	9:  "DNSKEY Missing",
	10: "RRSIGs Missing",
	11: "No Zone Key Bit Set",
	12: "NSEC Missing",
	13: "Cached Error",
	14: "Not Ready",
	15: "Blocked",
	16: "Censored",
	17: "Filtered",
	18: "Prohibited",
	19: "Stale NXDomain Answer",
	20: "Not Authoritative",
	21: "Not Supported",
	22: "No Reachable Authority",
	23: "Network Error",
	24: "Invalid Data",
	25: "Signature Expired before Valid",
	26: "Too Early",
	27: "Unsupported NSEC3 Iterations Value",
	28: "Unable to conform to policy",
	29: "Synthesized",
	30: "Invalid Query Type",
	31: "Rate Limited",
	32: "Over Quota",
	33: "Negative Trust Anchor",
	34: "New Delegation Only",
	35: "Blocked by Upstream DNS Server",
}

// Name returns the purpose that IANA has registered for an INFO-CODE, "Private
// Use" from 49152 on, and "Unassigned" for what is left.
func Name(code uint16) string {
	switch {
	case int(code) < len(purposes):
		return purposes[code]
	case code >= privateFirst:
		return "Private Use"
	}
	return "Unassigned"
}

// Label returns the metric label of an INFO-CODE: its number if it is assigned,
// else "unassigned" or "private". The set is closed, because an upstream may
// send any of 65536 codes and each label value is a time series.
func Label(code uint16) string {
	switch {
	case int(code) < len(purposes):
		return strconv.Itoa(int(code))
	case code >= privateFirst:
		return "private"
	}
	return "unassigned"
}
