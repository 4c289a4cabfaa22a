package cause

import "strings"

// trait is what a code that an upstream sent implies for the operator here.
type trait struct {
	lasts  Lasts
	owner  Owner
	advice string
}

const zoneAdvice = "The zone is at fault, not this server: check its DNSSEC signatures (dig +cd, delv), SOA serials and name servers, and tell its owner."

// traits are those of the INFO-CODEs that can come with SERVFAIL or REFUSED;
// others say nothing certain (RFC 8914 section 3: a receiver must not take a
// combination of code and RCODE to make sense).
var traits = map[uint16]trait{
	1:  {Persistent, Zone, zoneAdvice},
	2:  {Persistent, Zone, zoneAdvice},
	5:  {LastsOpen, Zone, zoneAdvice},
	6:  {Persistent, Zone, zoneAdvice},
	7:  {Persistent, Zone, zoneAdvice},
	8:  {Transient, Zone, zoneAdvice},
	9:  {Persistent, Zone, zoneAdvice},
	10: {Persistent, Zone, zoneAdvice},
	11: {Persistent, Zone, zoneAdvice},
	12: {Persistent, Zone, zoneAdvice},
	13: {Transient, Upstream, "The upstream answered out of its cache of failures; ask again in some seconds."},
	14: {Transient, Upstream, "The upstream is starting or not ready; ask again, or look at its log."},
	15: {Persistent, Upstream, "The upstream blocks the name by its own policy; ask its operator."},
	16: {Persistent, Upstream, "The upstream has to block the name; its operator can say by whose order."},
	17: {Persistent, Upstream, "The upstream filters the name as its client asked for; look at the filter's settings there."},
	18: {Persistent, Upstream, "The upstream does not serve this server: check allow-query and allow-recursion there."},
	20: {Persistent, Us, "The upstream is not authoritative for the name and does not recurse: forward to a resolver."},
	21: {Persistent, Client, "The upstream does not support what was asked."},
	22: {LastsOpen, Zone, "The upstream reaches none of the zone's name servers: check them (dig NS +trace) and try a different resolver."},
	23: {Transient, Network, "The upstream has a network error with a server behind it; look at its log."},
	24: {LastsOpen, Zone, "The upstream has invalid data for the zone; look at its transfer and zone file."},
	25: {Persistent, Zone, zoneAdvice},
	27: {Persistent, Zone, zoneAdvice},
	31: {Transient, Us, "The upstream limits the rate of this server: ask its operator, or cache more."},
	32: {Persistent, Us, "The quota of this server at the upstream is used up."},
	35: {Persistent, Upstream, "A server behind the upstream blocks the name."},
}

// AdviceOn is what to do about c if the first INFO-CODE of the answer is code:
// with a reason of the upstream's own it depends on that.
func (c *Cause) AdviceOn(code uint16) string {
	if t, ok := traits[code]; ok && c == upstreamEDE {
		return t.advice
	}
	return strings.TrimSpace(c.Advice)
}

// byCodes lets the codes that the upstream sent decide: the first of them that
// says more than that the upstream knew of the failure already.
func (v *Verdict) byCodes() {
	for _, s := range telling(v.Statements) {
		t, ok := traits[s.Code]
		if !ok {
			continue
		}
		v.Lasts, v.Owner, v.Advice = t.lasts, t.owner, t.advice
		if s.Code != cachedFailure.Code {
			return
		}
	}
}
