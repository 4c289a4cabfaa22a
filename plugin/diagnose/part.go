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
	if dns.IsSubDomain("local.", strings.ToLower(d.Question.Name)) {
		if root, ok := d.shared(ctx, control.RootServers); ok && root.Answers() {
			return d.convict("upstream_local_name", "")
		}
	}
	sibling := d.sibling()
	m, err := d.Failing.Exchange(ctx, question(sibling, false, d.DNSSECOK))
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
	return d.convict("upstream_hides_nxdomain", "")
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
		v = v.With("it is a private name, of which the upstream has this type alone")
	}
	if slices.Contains([]uint16{dns.TypeAAAA, dns.TypeA}, d.Question.Qtype) {
		d.step(false, "%s", text)
	}
	return d.explained(v, "", false), true
}
