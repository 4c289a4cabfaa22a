package diagnose

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/control"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// upstream finds out whether the upstream itself is at fault. Its answers to control
// questions rule it out.
func (d *diagnosis) upstream(ctx context.Context) (Finding, bool) {
	switch {
	case d.first == nil:
		return Finding{}, false
	case answered(d.first):
		return d.steady(ctx)
	}
	d.said = option.Read(d.first)
	switch {
	case specific(d.said):
		return d.hearsay(ctx)
	case d.first.Rcode == dns.RcodeRefused:
		return d.refused(ctx)
	}
	if d.first.Rcode != dns.RcodeServerFailure {
		return d.rejects(ctx)
	}
	if d.unvalidated == nil {
		m, err := d.await(ctx, d.ask(ctx, true))
		if errors.Is(err, errExplained) {
			return d.ofServers, true
		}
		d.unvalidated = m
	}
	if d.open() {
		return d.validator(ctx)
	}
	return d.way(ctx)
}

// shared puts a control question to the failing upstream; what it answered within the
// last half minute counts. ok is false without an answer.
func (d *diagnosis) shared(ctx context.Context, q control.Question) (control.Reply, bool) {
	r, err := d.controls.Get(ctx, d.Failing.Name, control.Ask(d.Failing.Exchange), q, d.Now)
	return r, err == nil
}

// patience is how long an upstream that answers with CD=1 may take with CD=0.
const patience = time.Second

// validator looks at the upstream's validation, where it answers with CD=1: along with
// the chain it is asked the question with CD=0 once more, as one good answer would
// mean that the failure has passed, and for the root's own SOA with CD=0.
func (d *diagnosis) validator(ctx context.Context) (Finding, bool) {
	again := d.ask(ctx, false)
	d.follows(ctx)
	root, ok := d.shared(ctx, control.RootChecked)
	d.wait(ctx)
	select {
	case got := <-again.came:
		d.told(again, got)
		switch {
		case got.err != nil:
		case answered(got.reply):
			return d.steady(ctx)
		case got.reply.Rcode == dns.RcodeServerFailure:
			if len(d.said) == 0 {
				d.said = option.Read(got.reply)
			}
		default:
			d.unsettled = true
		}
	case <-time.After(patience):
		d.step(false, "%s answers with CD=1, and not with CD=0", d.Failing.Name)
	}
	switch {
	case !ok:
		d.saw(false, "no reply to %s with CD=0: its validation cannot be judged", control.RootChecked)
	case root.Answers():
		d.saw(true, "it answers %s with CD=0: its validation accepts the root", control.RootChecked)
	default:
		return d.invalid(ctx, root)
	}
	return Finding{}, false
}

// onlyUnchecked reports whether the question is answered with CD=1 each time and fails with
// CD=0 each time: one answer of each kind may come from an upstream that fails at random. It
// asks each way twice more, once in a diagnosis; where it is not so it says what was seen.
func (d *diagnosis) onlyUnchecked(ctx context.Context) bool {
	if d.confirmed != nil {
		return *d.confirmed
	}
	good, tries := map[bool]int{true: bit(d.open())}, map[bool]int{true: bit(d.open()), false: 1}
	var under []asked
	for range confirming {
		under = append(under, d.ask(ctx, true), d.ask(ctx, false))
	}
	for _, q := range under {
		a := <-q.came
		d.told(q, a)
		switch {
		case errors.Is(a.err, dnssec.ErrBudget):
			continue
		case a.err == nil && answered(a.reply):
			good[q.cd]++
		}
		tries[q.cd]++
	}
	only := tries[true] > 1 && good[true] == tries[true] && good[false] == 0
	d.confirmed = &only
	if !only {
		d.varying = fmt.Sprintf("of %d tries with CD=1 it answered %d, and of %d with CD=0 %d", tries[true], good[true], tries[false], good[false])
		d.saw(false, "%s", d.varying)
		d.answersNow = good[true] == tries[true] && good[false] == confirming
	}
	return only
}

// confirming is how often onlyUnchecked asks each way.
const confirming = 2

// varies says that the upstream answers the question now and then, whatever CD is.
func (d *diagnosis) varies() (Finding, bool) {
	return d.because(adviceVaries, "asked again and again, the upstream does not answer alike: %s", d.varying)
}

// invalid is for an upstream whose validation fails the root too. That is its clock
// or its anchor, but not where the root comes without signatures, or where they do
// not hold by this server's clock either.
func (d *diagnosis) invalid(ctx context.Context, root control.Reply) (Finding, bool) {
	found := d.wait(ctx)
	d.saw(false, "it answers %s with CD=0 %s%s", control.RootChecked, dns.RcodeToString[root.Rcode], reasons(root.Said))
	switch {
	case found.Clock, found.Stripped, root.Rcode != dns.RcodeServerFailure:
		return Finding{}, false
	case !found.Anchored:
		d.saw(false, "the root's records could not be validated here: %s", found.Text)
		return Finding{}, false
	}
	more := ""
	questions := []control.Question{control.UnusedChecked(".")}
	if tld := topLevel(d.Question.Name); tld != "." && !d.private() {
		more = fmt.Sprintf("it rejects %s SOA as well", tld)
		questions = append(questions, control.UnusedChecked(tld), control.Question{Name: tld, Type: dns.TypeSOA})
	}
	// Without a way to the Internet it fails these as well.
	where := d.anywhere()
	where.Rejects = true
	if d.proved(ctx, where, func() bool { return d.fails(ctx, questions...) }) {
		return d.convict("upstream_validator", more)
	}
	if d.unproved == passing {
		return Finding{}, false
	}
	return d.unconnected("")
}

// way finds out whether the upstream reaches the Internet, if it fails with CD=1 as well.
func (d *diagnosis) way(ctx context.Context) (Finding, bool) {
	d.follows(ctx)
	keys, ok := d.shared(ctx, control.RootKeys)
	switch {
	case !ok:
		d.saw(false, "no reply to %s: whether it reaches the Internet is not known", control.RootKeys)
	case keys.Answers():
		d.saw(true, "it answers %s", control.RootKeys)
	case d.private():
		d.saw(false, "it fails %s too, which a server of private names need not resolve", control.RootKeys)
	case keys.Rcode == dns.RcodeRefused && d.unvalidated != nil && !d.unvalidated.RecursionAvailable:
		return d.convict("upstream_zone_not_loaded", "")
	case keys.Rcode == dns.RcodeServerFailure:
		return d.offline(ctx)
	}
	return Finding{}, false
}

// offline convicts an upstream that fails the root's DNSKEY with CD=1, and one more
// question that it cannot answer out of what it has from its start.
func (d *diagnosis) offline(ctx context.Context) (Finding, bool) {
	d.saw(false, "it fails %s with CD=1", control.RootKeys)
	tld := topLevel(d.Question.Name)
	if tld == "." {
		tld = "arpa."
	}
	switch below, ok := d.shared(ctx, control.Question{Name: tld, Type: dns.TypeSOA, Unchecked: true}); {
	case !ok:
		d.saw(false, "no reply to %s SOA", tld)
		return Finding{}, false
	case below.Answers():
		d.saw(true, "it answers %s SOA", tld)
		return Finding{}, false
	}
	what := fmt.Sprintf("the questions %s and %s SOA fail even with CD=1%s", control.RootKeys, tld, reasons(d.said))
	if f, ok := d.others(ctx); ok && f.Verdict.Cause.ID == "upstream_at_fault" {
		f.Verdict = f.Verdict.With("it resolves nothing: " + what)
		f.Text = f.Verdict.Text()
		return f, true
	}
	if d.Answered != nil {
		if now, n := d.Now(), d.Answered(); n > 0 && !d.answering.Nothing(d.Failing.Name, now, n) {
			d.saw(false, "it answered %d queries of this server, and whether any since it fails these is not known", n)
			return d.because(adviceAnswering, "%s; but the upstream answered other names well before: either it has lost its connection to the Internet, or it never had one, and serves names of its own", what)
		}
	}
	return d.convict("upstream_resolves_nothing", what)
}

const adviceAnswering = "Check the upstream's own connection to the Internet. If it is not meant to have one, look at what it does with this name: its zone, or the servers that it forwards the name to."

// reasons are the codes that came with a failure, for a text.
func reasons(said []option.Option) string {
	if len(said) == 0 {
		return ""
	}
	var words []string
	for _, o := range said {
		words = append(words, fmt.Sprintf("%d %s", o.Code, option.Name(o.Code)))
	}
	return " (it says " + strings.Join(words, ", ") + ")"
}

// topLevel is the last label of name, or the root.
func topLevel(name string) string {
	labels := dns.SplitDomainName(name)
	if len(labels) == 0 {
		return "."
	}
	return dns.CanonicalName(labels[len(labels)-1])
}

func (d *diagnosis) resolves() Finding {
	d.step(true, "the question is answered now: the failure has passed")
	text := "the question is answered now: the failure has passed"
	if d.TimedOut {
		text += " (" + d.counts() + ")"
		if d.came.Load() < d.sent.Load() {
			text += ": packets get lost on the path, the upstream drops some, or the first answer takes long"
		}
	}
	return Finding{Outcome: Resolves, Text: text}
}
