package cause

import (
	"slices"
	"strings"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// Statement is one EDE in its two wordings.
type Statement struct {
	Code        uint16
	Brief, Full string
	Source      option.Source
	// FromUpstream marks what an upstream said, and Verbatim what a plugin of
	// this server put into the reply itself: acl's 15, a template's ederror.
	FromUpstream, Verbatim bool
	// names marks the one that names the cause where others beside it are those of
	// a failure before.
	names bool
}

// Codes that say less than others, and those that they say less than.
const (
	otherError    = 0
	indeterminate = 5
	bogus         = 6
	cachedError   = 13
	noAuthority   = 22
	networkError  = 23
)

// verbatim returns what a plugin said in its own words. Where it has none, own
// stands for them: for a client that may read all, and for 0 Other Error, which
// says nothing without a text (RFC 8914 section 4.1).
func verbatim(own Statement, said []option.Option) []Statement {
	statements := make([]Statement, len(said))
	for i, o := range said {
		s := Statement{Code: o.Code, Brief: o.Text, Full: o.Text, Verbatim: true}
		if o.Text == "" && i == 0 {
			s.Full = own.Full
		}
		if o.Text == "" && o.Code == otherError {
			s.Brief, s.Full = own.Brief, own.Full
		}
		statements[i] = s
	}
	return statements
}

// statementsOf returns the upstream's own statements with their source named, since
// a client takes an EDE to be its resolver's (RFC 8914 section 3). A structured
// text is for programs and stays as it is.
func statementsOf(upstream string, said []option.Option) []Statement {
	statements := make([]Statement, len(said))
	for i, o := range said {
		s := Statement{Code: o.Code, Source: option.Upstream, FromUpstream: true, Brief: o.Text, Full: o.Text}
		if !option.Structured(o.Text) {
			s.Brief, s.Full = attributed("upstream", o.Text), attributed(host(upstream), o.Text)
		}
		statements[i] = s
	}
	return statements
}

// attributed names the source of text, once, however many servers stand in
// line: a text that begins with an attribution is left as it is.
func attributed(source, text string) string {
	if source == "" {
		source = "upstream"
	}
	if text == "" {
		return "from " + source
	}
	if word, _, ok := strings.Cut(strings.TrimPrefix(text, "from "), ": "); ok &&
		strings.HasPrefix(text, "from ") && !strings.Contains(word, " ") || isAttribution(text) {
		return text
	}
	return "from " + source + ": " + text
}

// isAttribution reports whether text names its source and says nothing else.
func isAttribution(text string) bool {
	source, ok := strings.CutPrefix(text, "from ")
	return ok && !strings.Contains(source, " ")
}

// host is addr without the default port.
func host(addr string) string { return strings.TrimSuffix(addr, ":53") }

// hasWords reports whether s says more than its code and its source.
func (s Statement) hasWords() bool { return s.Brief != "" && !isAttribution(s.Brief) }

// telling returns those of all that tell something beside the others. Many
// clients show one option alone, the first or the last, so what says less than
// another does not stand beside it. all is left as it is.
func telling(all []Statement) []Statement {
	for i := range all {
		if tells(all, i) {
			continue
		}
		kept, left := slices.Clone(all[:i]), slices.Clone(all[i:i+1])
		for j := i + 1; j < len(all); j++ {
			if tells(all, j) {
				kept = append(kept, all[j])
			} else {
				left = append(left, all[j])
			}
		}
		handDown(left, kept)
		return kept
	}
	return all
}

// handDown gives the words of what is left out to what is kept without any, of
// the same source: "6 signature crypto failed" and a bare 10 are one statement.
func handDown(left, kept []Statement) {
	for _, l := range left {
		if l.Code == cachedError || !l.hasWords() || option.Structured(l.Brief) {
			continue
		}
		for i := range kept {
			if k := &kept[i]; !k.hasWords() && k.FromUpstream == l.FromUpstream {
				k.Brief, k.Full = l.Brief, l.Full
				break
			}
		}
	}
}

// tells reports whether the statement at i says something that no other does. One
// of this server's own is never left out for another's.
func tells(all []Statement, i int) bool {
	s := all[i]
	if s.names {
		return true
	}
	own := !s.FromUpstream && !s.Verbatim
	other := func(is func(Statement) bool) bool {
		for j, o := range all {
			if j != i && o.Code != s.Code && !(own && (o.FromUpstream || o.Verbatim)) && is(o) {
				return true
			}
		}
		return false
	}
	switch s.Code {
	case otherError:
		return !other(func(o Statement) bool { return o.Code != cachedError || !s.hasWords() })
	case cachedError:
		return !other(func(o Statement) bool { return o.Code != otherError || o.hasWords() })
	case indeterminate, bogus:
		return !other(func(o Statement) bool { return slices.Contains(dnssecCodes, o.Code) })
	case networkError:
		return s.hasWords() || !other(func(o Statement) bool { return o.Code == noAuthority })
	}
	return true
}

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
