package cause

import (
	"slices"
	"strings"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// Diagnosed returns base with the cause that a diagnosis found in its place. If codes
// or texts are empty, those of the cause are used.
func Diagnosed(base *Verdict, id string, codes []uint16, brief, full, zone string) *Verdict {
	c := ByID(id)
	v := &Verdict{
		Cause: c, Lasts: c.Lasts, Owner: c.Owner, Advice: c.Advice,
		At: base.At, Upstream: base.Upstream, Zone: zone, rcode: base.rcode, seen: base.seen, notes: base.notes, Own: full,
		of: base.way(),
	}
	if brief == "" {
		brief, full = c.Brief, c.Full
	}
	if len(codes) == 0 {
		codes = []uint16{c.Code}
	}
	for i, code := range codes {
		s := Statement{Code: code, Source: option.Diagnosis}
		if i == 0 {
			s.Brief, s.Full = brief, full
		}
		v.Statements = append(v.Statements, s)
	}
	return v
}

// Relayed returns base with what the upstream said when it was asked again.
func Relayed(base *Verdict, said []option.Option) *Verdict {
	v := *base
	v.asked, v.of = true, base.way()
	if base.Cause == upstreamEDE && onlyCached(statementsOf(base.Upstream, said)) {
		return &v
	}
	v.Cause, v.Since = upstreamEDE, ""
	v.Statements = statementsOf(base.Upstream, said)
	v.Lasts, v.Owner, v.Advice = v.Cause.Lasts, v.Cause.Owner, v.Cause.Advice
	v.byCodes()
	return v.InDiagnosis()
}

// Keeping returns v with the upstream's codes appended after v's own, which are more
// specific.
func (v *Verdict) Keeping(said []option.Option) *Verdict {
	b := *v
	b.Statements = append([]Statement(nil), v.Statements...)
	for _, s := range statementsOf(v.Upstream, said) {
		known := s.Code == 0 || s.Code == cachedFailure.Code
		for _, own := range b.Statements {
			known = known || own.Code == s.Code
		}
		if !known {
			b.Statements = append(b.Statements, s)
		}
	}
	return &b
}

// NoRD reports whether v is on an upstream that was asked without RD.
func (v *Verdict) NoRD() bool { return v.noRD }

// WithoutReason reports whether v says no more than that the upstream answered with the
// failure. Without RD the query itself may be the reason.
func (v *Verdict) WithoutReason() bool {
	return (v.Cause == upstreamServfail || v.Cause == upstreamRefused) && !v.noRD
}

// Heard returns base, for which WithoutReason is true, with the reason that the upstream at
// the address by gave when it was asked once more with an OPT record; found is the time of
// that. ok is false if it gave none, or only that the failure was in its cache.
func Heard(base *Verdict, said []option.Option, by string, found time.Time) (v *Verdict, ok bool) {
	statements := statementsOf(by, said)
	if len(said) == 0 || onlyCached(statements) {
		return base, false
	}
	heard := *base
	heard.Cause, heard.shared, heard.Statements = upstreamEDE, nil, statements
	heard.byCodes()
	heard.note("asked again with EDNS at " + clock(found) + ", " + by + " said why")
	heard.Since = "found " + clock(found)
	if base.Cached {
		heard.Since = cachedSince(found)
		for i := range statements {
			statements[i].Source = option.Memory
		}
	}
	return &heard, true
}

// Found reports whether v rests on a diagnosis.
func (v *Verdict) Found() bool {
	return len(v.Statements) > 0 && v.Statements[0].Source == option.Diagnosis || v.asked
}

// FoundZone is the zone that was found to be broken, or "": also for a failure from
// cache, whose statements come from memory.
func (v *Verdict) FoundZone() string {
	if v.Cause.Rank < Found && !v.Found() {
		return ""
	}
	return v.Zone
}

// Dated returns v for an answer that leaves after the time found. Its text says when the
// cause was found.
func (v *Verdict) Dated(found time.Time) *Verdict {
	d := *v
	d.Statements = append([]Statement(nil), v.Statements...)
	if len(d.Statements) > 0 && d.Statements[0].Brief != "" {
		d.Since = "found " + found.UTC().Format(time.TimeOnly) + "Z"
	}
	return &d
}

// Observed returns base with its cause unchanged, what a diagnosis saw as its texts, and
// advice unless that is empty.
func Observed(base *Verdict, brief, full, advice string) *Verdict {
	v := *base
	v.shared, v.of = nil, base.way()
	v.Statements = slices.Clone(base.Statements)
	if len(v.Statements) > 0 && !v.Statements[0].FromUpstream && !v.Statements[0].Verbatim {
		v.Statements[0].Brief, v.Statements[0].Full, v.Statements[0].Source = brief, full, option.Diagnosis
	}
	v.Own = full
	if advice != "" && !strings.HasPrefix(v.Advice, adviceLocal) {
		v.Advice = advice
	}
	return v.InDiagnosis()
}

// With returns v with the text more appended to its first statement. The text must not
// name an address, plugin or error of this server.
func (v *Verdict) With(more string) *Verdict {
	w := *v
	w.shared = nil
	w.Statements = slices.Clone(v.Statements)
	if len(w.Statements) > 0 {
		w.Statements[0].Brief += "; " + more
		w.Statements[0].Full += "; " + more
		w.Own = w.Statements[0].Full
	}
	return &w
}

// Refinable reports whether a diagnosis could say more than v does: the exchange
// with the upstream failed, or the upstream failed and gave no reason, or one that
// a diagnosis may confirm or not.
func (v *Verdict) Refinable() bool {
	switch {
	case v.noRD:
		// A diagnosis asks with RD.
		return false
	case v.Cause == upstreamEDE:
		return !v.asked && !slices.ContainsFunc(v.Statements, func(s Statement) bool {
			return !slices.Contains(genericCodes, s.Code) && !slices.Contains(dnssecCodes, s.Code) && !slices.Contains(reachCodes, s.Code)
		})
	default:
		return v.Cause.Refinable()
	}
}

// Refinable reports whether a diagnosis may find another cause for failures of c.
func (c *Cause) Refinable() bool {
	return slices.Contains([]*Cause{
		upstreamServfail, upstreamRefused, upstreamTimeout, upstreamTLS, upstreamClosed, upstreamUnreachable, cachedFailure, upstreamEDE,
	}, c)
}

// genericCodes leave the reason open, and reachCodes say that something could not be
// reached, which may be all there is.
var (
	genericCodes = []uint16{0, 5, 6, 13}
	reachCodes   = []uint16{22, 23}
)

// dnssecCodes are those that an own validation can be held against.
var dnssecCodes = []uint16{1, 2, 7, 8, 9, 10, 11, 12, 25, 27}

// ReachCode reports whether one of an upstream's codes says that it could not reach
// another server.
func ReachCode(said []option.Option) bool {
	return slices.ContainsFunc(said, func(o option.Option) bool { return slices.Contains(reachCodes, o.Code) })
}

// DNSSECCode returns the first of an upstream's codes that is a specific one of
// DNSSEC.
func DNSSECCode(said []option.Option) (uint16, bool) {
	for _, o := range said {
		if slices.Contains(dnssecCodes, o.Code) {
			return o.Code, true
		}
	}
	return 0, false
}

// WithTarget returns v, the verdict on an alias, with what was found of its
// target.
func (v *Verdict) WithTarget(found *Verdict) *Verdict {
	t := *v
	t.Statements, t.Since, t.Own = found.Statements, found.Since, found.Own
	t.Lasts, t.Owner, t.Advice, t.Upstream = found.Lasts, found.Owner, found.Advice, found.Upstream
	t.note("diagnosis of the target: " + found.Text())
	return &t
}

// OfAlias reports whether v is the verdict on an alias whose target failed.
func (v *Verdict) OfAlias() bool { return v.Cause == cnameTargetFailed }

// For returns the diagnosis d, made at the time found, as the verdict on the failure of v,
// marked as cached if v is. If d is what the upstream said when it was asked again, the
// texts of v stay and d adds who is at fault.
func (d *Verdict) For(v *Verdict, found time.Time) *Verdict {
	if d.asked && v.Cause == upstreamEDE && !onlyCached(v.Statements) {
		if !slices.Equal(d.Codes(), v.Codes()) {
			return v
		}
		s := *v
		s.Lasts, s.Owner, s.Advice, s.asked = d.Lasts, d.Owner, d.Advice, true
		return &s
	}
	f := d.Dated(found)
	f.At, f.Upstream = v.At, v.Upstream
	f.seen, f.notes = v.seen, v.notes
	f.note("diagnosis: " + d.Text())
	if !v.Cached {
		return f
	}
	f.Cached = true
	f.Since = cachedSince(found)
	return f
}

// Explains reports whether the diagnosis d may stand for the failure of v: it failed in the
// same way as the one that was diagnosed, and what is said of an upstream or of the path is
// said of the same one. A failure from cache whose cause is lost is taken for the same.
func (d *Verdict) Explains(v *Verdict) bool {
	if v.Cause == cachedFailure {
		return true
	}
	return d.of == v.way() && (d.Owner == Zone || d.Owner == Us || d.Upstream == v.Upstream)
}
