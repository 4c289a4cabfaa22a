package diagnose

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/control"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// suspect is who may be at fault. look returns a finding if a fault of the suspect was
// seen; otherwise it has noted what rules the suspect out, or why that is not known, and
// the next one is looked at.
type suspect struct {
	name string
	look func(*diagnosis, context.Context) (Finding, bool)
}

// suspects are looked at in this order: nobody is named before those that are nearer
// to this server. docs/diagnosis.md has the same table, with the evidence.
var suspects = []suspect{
	{"this server", (*diagnosis).server},
	{"the path", (*diagnosis).path},
	{"the upstream", (*diagnosis).upstream},
	{"between upstream and zone", (*diagnosis).between},
	{"the zone", (*diagnosis).zone},
	{"a part of the name", (*diagnosis).part},
	{"one of several", (*diagnosis).others},
}

func (d *diagnosis) run(ctx context.Context) Finding {
	if !d.TimedOut {
		// The client's query may have had no OPT record: with one the upstream may
		// say itself why it fails.
		d.first, d.lost = d.await(ctx, d.ask(ctx, false))
		if errors.Is(d.lost, errExplained) {
			return d.ofServers
		}
	}
	for _, s := range suspects {
		d.suspect = s.name
		if f, ok := s.look(d, ctx); ok {
			return f
		}
		if d.silent {
			// Nothing can be found out through an upstream that answers nothing.
			break
		}
	}
	if d.onlyCD && !d.onlyUnchecked(ctx) {
		_, _ = d.varies()
	}
	return d.undecided()
}

// saw notes what was seen of the present suspect where that does not prove a fault.
func (d *diagnosis) saw(ok bool, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	d.step(ok, "%s", what)
	suspect := d.suspect
	if !ok {
		suspect += notRuledOut
	}
	if len(d.seen) < maxSeen {
		d.seen = append(d.seen, suspect+": "+option.Sanitize(what, maxSaid))
	}
}

// notRuledOut follows a suspect of which the evidence that it works is missing.
const notRuledOut = ", not ruled out"

// suspectOf is the suspect that an owner stands for.
var suspectOf = map[cause.Owner]string{
	cause.Us: "this server", cause.Network: "the path", cause.Upstream: "the upstream", cause.Zone: "the zone",
}

// ruledOut is seen without what was seen of the suspect that f names: it would read as
// named and ruled out at once. The steps have it.
func ruledOut(seen []string, f Finding) []string {
	if f.Outcome != Explained || f.Verdict == nil {
		return seen
	}
	named, ok := suspectOf[f.Verdict.Owner]
	if strings.HasPrefix(f.Verdict.Cause.ID, "path_") {
		named, ok = "the path", true
	}
	return slices.DeleteFunc(seen, func(s string) bool {
		return ok && (strings.HasPrefix(s, named+": ") || strings.HasPrefix(s, named+notRuledOut))
	})
}

// Bounds of what a finding says of those who were ruled out.
const (
	maxSeen = 12
	maxSaid = 160
)

// convict names a cause of the catalog with its own texts and adds more to them, which
// must not name an address, plugin or error.
func (d *diagnosis) convict(id, more string) (Finding, bool) {
	v := cause.Diagnosed(d.Verdict, id, nil, "", "", "")
	for i := range v.Statements {
		v.Statements[i].Full = d.named(v.Statements[i].Full)
		if more != "" && i == 0 {
			v.Statements[i].Brief += "; " + more
			v.Statements[i].Full += "; " + more
		}
	}
	v.Own = v.Statements[0].Full
	d.step(false, "%s", v.Own)
	return d.explained(v, "", false), true
}

// undecided is the finding where no fault was proved: the cause stays, and its texts say
// what was seen.
func (d *diagnosis) undecided() Finding {
	if d.answersNow {
		return d.resolves()
	}
	f := Finding{Text: d.why, Silent: d.silent}
	switch unjudged := d.unjudged(); {
	case f.Text == "" && unjudged == "":
		f.Text = "nobody could be found at fault"
	case unjudged != "":
		f.Text = strings.TrimSuffix(unjudged+"; "+d.why, "; ")
	}
	brief, full := f.Text, f.Text
	if len(d.Verdict.Statements) > 0 {
		brief, full = d.Verdict.Statements[0].Brief+"; "+brief, d.Verdict.Statements[0].Full+"; "+full
	}
	f.Verdict = cause.Observed(d.Verdict, brief, full, d.advice)
	return f
}

// because says why the diagnosis will stay undecided if nothing else is found, and
// what to do then. The last one counts.
func (d *diagnosis) because(advice, format string, args ...any) (Finding, bool) {
	d.why, d.advice, d.onlyCD = fmt.Sprintf(format, args...), advice, false
	return Finding{}, false
}

// server looks for faults that no upstream, path or zone can have. That of the
// clock needs an upstream's certificate, or the signatures of the root, which are
// seen later.
func (d *diagnosis) server(ctx context.Context) (Finding, bool) {
	if d.lost == nil {
		return Finding{}, false
	}
	failures := []error{d.lost}
	if _, ok := control.Clock(d.Now(), failures); !ok && len(d.Others) == 0 {
		return Finding{}, false
	}
	var invalid x509.CertificateInvalidError
	for _, r := range d.Others {
		if !errors.As(failures[len(failures)-1], &invalid) {
			break
		}
		_, err := r.Exchange(ctx, d.query(false))
		failures = append(failures, err)
	}
	why, ok := control.Clock(d.Now(), failures)
	if !ok || len(failures) != 1+len(d.Others) {
		return Finding{}, false
	}
	v := cause.Diagnosed(d.Verdict, "clock_wrong", nil, why, why, "")
	d.step(false, "%s", why)
	return d.explained(v, "", false), true
}

// checked reports whether the question was answered SERVFAIL with CD=0, and open
// whether it was answered well with CD=1. Both together point to DNSSEC; silence
// counts as neither.
func (d *diagnosis) checked() bool { return d.first != nil && d.first.Rcode == dns.RcodeServerFailure }

func (d *diagnosis) open() bool { return d.unvalidated != nil && answered(d.unvalidated) }

func (d *diagnosis) byDNSSEC() bool { return d.checked() && d.open() && !d.unsettled }

// private reports whether the public DNS says nothing about the question.
func (d *diagnosis) private() bool {
	name := strings.ToLower(d.Question.Name)
	for _, zone := range slices.Concat(d.Engine.Private, d.Case.Private) {
		if dns.IsSubDomain(zone, name) {
			return true
		}
	}
	return false
}

// special reports whether the name is one that the public DNS does not have.
func (d *diagnosis) special() bool {
	return slices.ContainsFunc(d.Engine.Private, func(zone string) bool { return dns.IsSubDomain(zone, strings.ToLower(d.Question.Name)) })
}

// anchored reports whether a trust anchor as close to the name as the private zone judges it
// (RFC 7646 section 4).
func (d *diagnosis) anchored() bool {
	name := strings.ToLower(d.Question.Name)
	for _, zone := range slices.Concat(d.Engine.Private, d.Case.Private) {
		closer := func(rr dns.RR) bool {
			owner := strings.ToLower(rr.Header().Name)
			return dns.IsSubDomain(owner, name) && dns.IsSubDomain(zone, owner)
		}
		if dns.IsSubDomain(zone, name) && !slices.ContainsFunc(d.Anchors, closer) {
			return false
		}
	}
	return true
}

// explained is the finding that a verdict stands for.
func (d *diagnosis) explained(v *cause.Verdict, zone string, cut bool) Finding {
	return Finding{Outcome: Explained, Verdict: v, Zone: zone, Cut: cut, Text: v.Text()}
}

// named fills in the upstream's address in a full text.
func (d *diagnosis) named(text string) string {
	return strings.ReplaceAll(text, "{upstream}", strings.TrimSuffix(d.Failing.Name, ":53"))
}
