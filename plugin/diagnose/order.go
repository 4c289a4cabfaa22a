package diagnose

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

func (d *diagnosis) run(ctx context.Context) Finding {
	if d.TimedOut {
		return d.silence(ctx)
	}
	// The client's query may have had no OPT record: with one the upstream may
	// say itself why it fails.
	first, err := d.ask(ctx, false)
	if err != nil {
		d.step(false, "%s does not answer any more: %v", d.Failing.Name, err)
		return d.compare(ctx, Finding{Text: "the upstream does not answer the question any more"})
	}
	if answered(first) {
		return d.resolves()
	}
	if said := option.Read(first); specific(said) {
		d.step(true, "%s says why: %s", d.Failing.Name, list(said))
		f := d.explained(cause.Relayed(d.Verdict, said), "", false)
		f.Disagrees = d.disagrees(ctx, said)
		return f
	}
	if first.Rcode == dns.RcodeRefused {
		return d.refused(ctx)
	}
	return d.servfail(ctx, option.Read(first))
}

// ask puts the question to the failing upstream and notes what it said.
func (d *diagnosis) ask(ctx context.Context, cd bool) (*dns.Msg, error) {
	r, err := d.Failing.Exchange(ctx, d.query(cd))
	if err == nil {
		d.step(answered(r), "%s answers %s with CD=%d", d.Failing.Name, dns.RcodeToString[r.Rcode], bit(cd))
	}
	return r, err
}

// servfail tells DNSSEC from other failures, by CD=1 between two questions
// with CD=0, all to one upstream: one good answer with CD=0 would mean that
// the failure has passed.
func (d *diagnosis) servfail(ctx context.Context, said []option.Option) Finding {
	checked, err := d.ask(ctx, true)
	byDNSSEC := err == nil && answered(checked)
	if byDNSSEC {
		again, err := d.ask(ctx, false)
		if err == nil && answered(again) {
			return d.resolves()
		}
		byDNSSEC = err == nil && again.Rcode == dns.RcodeServerFailure
	}
	return d.fails(ctx, byDNSSEC, said)
}

// fails looks for the reason of a failure that has not passed. byDNSSEC says
// that the upstream answers with CD=1, and only so.
func (d *diagnosis) fails(ctx context.Context, byDNSSEC bool, said []option.Option) Finding {
	undecided := Finding{Text: "the upstream fails with and without DNSSEC validation"}
	if byDNSSEC {
		undecided.Text = "the upstream answers with CD=1 only"
	}
	if d.Delegation != nil && !byDNSSEC {
		// What fails with CD=1 too is seldom DNSSEC, and a chain with silent
		// servers in it takes all the time there is.
		if f, ok := d.delegation(ctx); ok {
			return f
		}
	}
	f, why, ok := d.dnssec(ctx, byDNSSEC, said)
	if ok {
		return f
	}
	if why != "" {
		undecided.Text += "; " + why
	}
	return d.compare(ctx, undecided)
}

// patience is how long an upstream that answers with CD=1 may take with CD=0.
const patience = time.Second

// silence tells an upstream that answers nothing from one that only this
// question keeps busy: a resolver that cannot validate, or reach a zone, may try
// for longer than forward waits. Only what it answers otherwise is evidence.
func (d *diagnosis) silence(ctx context.Context) Finding {
	undecided := Finding{Text: "the upstream answers a control question, and not this one in time"}
	checked, err := d.ask(ctx, true)
	switch {
	case err == nil && answered(checked):
		impatient, cancel := context.WithTimeout(ctx, patience)
		again, err := d.Failing.Exchange(impatient, d.query(false))
		cancel()
		if err == nil && answered(again) {
			return d.resolves()
		}
		d.step(false, "%s answers with CD=1, and not with CD=0", d.Failing.Name)
		var said []option.Option
		if err == nil {
			said = option.Read(again)
		}
		return d.fails(ctx, true, said)
	case err == nil:
		return d.fails(ctx, false, option.Read(checked))
	}
	control := dns.Question{Name: ".", Qtype: dns.TypeNS, Qclass: dns.ClassINET}
	if _, err := d.Failing.Exchange(ctx, question(control, true, true)); err != nil {
		d.step(false, "%s does not answer a control question either: %v", d.Failing.Name, err)
		return Finding{Silent: true, Text: "the upstream does not answer a control question either"}
	}
	d.step(true, "%s answers a control question", d.Failing.Name)
	if d.Delegation != nil {
		if f, ok := d.delegation(ctx); ok {
			return f
		}
	}
	return d.compare(ctx, undecided)
}

// private reports whether the public tree has no say in the question.
func (d *diagnosis) private() bool {
	name := strings.ToLower(d.Question.Name)
	for _, zone := range slices.Concat(d.Engine.Private, d.Case.Private) {
		if dns.IsSubDomain(zone, name) {
			return true
		}
	}
	return false
}

func (d *diagnosis) resolves() Finding {
	d.step(true, "the question is answered now: the failure has passed")
	return Finding{Outcome: Resolves, Text: "the question is answered now: the failure has passed"}
}

func (d *diagnosis) explained(v *cause.Verdict, zone string, cut bool) Finding {
	return Finding{Outcome: Explained, Verdict: v, Zone: zone, Cut: cut, Text: v.Text()}
}

// answered reports whether m is an answer, the proof of absence included.
func answered(m *dns.Msg) bool {
	return m.Rcode == dns.RcodeSuccess || m.Rcode == dns.RcodeNameError
}

// generic are the INFO-CODEs that an own finding may precede.
var generic = []uint16{0, 5, 6, 13}

// specific reports whether an upstream's codes leave nothing to find out.
func specific(said []option.Option) bool {
	for _, o := range said {
		if !slices.Contains(generic, o.Code) {
			return true
		}
	}
	return false
}

func list(said []option.Option) string {
	words := make([]string, len(said))
	for i, o := range said {
		words[i] = strings.TrimSpace(fmt.Sprintf("%d %s", o.Code, option.Name(o.Code)) + " " + o.Text)
	}
	return strings.Join(words, "; ")
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
