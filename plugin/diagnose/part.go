package diagnose

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/control"
)

// part asks questions beside the one that failed, where the upstream fails that with
// CD=1 too and nobody was convicted: another type of the same name, and a name that
// cannot exist.
func (d *diagnosis) part(ctx context.Context) (Finding, bool) {
	if d.first == nil || d.first.Rcode != dns.RcodeServerFailure || d.open() {
		return Finding{}, false
	}
	sibling := d.sibling()
	m, err := d.Failing.Exchange(ctx, d.asked(sibling))
	switch {
	case err != nil:
		d.saw(false, "no reply to the type %s of the name", dns.Type(sibling.Qtype))
		return Finding{}, false
	case m.Rcode == dns.RcodeSuccess:
		return d.oneType(sibling, len(m.Answer) > 0)
	}
	d.saw(true, "the type %s of the name fails too", dns.Type(sibling.Qtype))
	root, ok := d.shared(ctx, control.RootServers)
	if !ok || !root.Answers() {
		return Finding{}, false
	}
	if f, ok := d.local(ctx); ok {
		return f, true
	}
	missing, ok := d.shared(ctx, control.Missing)
	if !ok {
		return Finding{}, false
	}
	if missing.Rcode != dns.RcodeServerFailure {
		d.saw(true, "a name that cannot exist is answered %s", dns.RcodeToString[missing.Rcode])
		return Finding{}, false
	}
	f, ok := d.others(ctx)
	switch {
	case ok && f.Verdict.Cause.ID == "upstreams_differ":
		return d.convict("upstream_hides_nxdomain", "another upstream says NXDOMAIN")
	case ok:
		return f, true
	}
	if d.denied {
		return d.convict("upstream_hides_nxdomain", "another resolver says NXDOMAIN")
	}
	return d.convict("upstream_hides_nxdomain", "")
}

// local is for a name under local that fails where any other there does: the upstream
// leaves them to multicast DNS. One that a forward here is for has its own servers
// already.
func (d *diagnosis) local(ctx context.Context) (Finding, bool) {
	name := strings.ToLower(d.Question.Name)
	meant := func(zone string) bool { return dns.IsSubDomain(zone, name) }
	if !dns.IsSubDomain("local.", name) || slices.ContainsFunc(d.Case.Private, meant) {
		return Finding{}, false
	}
	missing, ok := d.shared(ctx, control.MissingLocal)
	if !ok || missing.Rcode != dns.RcodeServerFailure {
		return Finding{}, false
	}
	return d.convict("upstream_local_name", "")
}

// sibling is the question for another type of the same name.
func (d *diagnosis) sibling() dns.Question {
	q := d.Question
	q.Qtype = dns.TypeA
	if d.Question.Qtype == dns.TypeA {
		q.Qtype = dns.TypeAAAA
	}
	return q
}

// oneType is the finding that another type of the name is answered, which clears the
// name, its zone's keys and the way there.
func (d *diagnosis) oneType(sibling dns.Question, records bool) (Finding, bool) {
	what := "is answered"
	if !records {
		what = "is answered without records"
	}
	text := fmt.Sprintf("only the type %s of the name fails, %s %s", dns.Type(d.Question.Qtype), dns.Type(sibling.Qtype), what)
	v := cause.Diagnosed(d.Verdict, "only_one_type_fails", nil, text, text, "")
	if d.private() {
		v.Owner = cause.Upstream
		v = v.With(fmt.Sprintf("it is a private name, of which the upstream may have the type %s alone", dns.Type(sibling.Qtype)))
	}
	if slices.Contains([]uint16{dns.TypeAAAA, dns.TypeA}, d.Question.Qtype) {
		d.step(false, "%s", text)
	}
	return d.explained(v, "", false), true
}
