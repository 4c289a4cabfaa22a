package diagnose

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

func (d *diagnosis) run(ctx context.Context) Finding {
	if d.TimedOut {
		return d.silence(ctx)
	}
	// The client's query may have had no OPT record: with one the upstream may
	// say itself why it fails.
	first, err := d.await(ctx, d.ask(ctx, false))
	switch {
	case errors.Is(err, errExplained):
		return d.ofServers
	case err != nil:
		d.step(false, "%s does not answer any more: %v", d.Failing.Name, err)
		return d.compare(ctx, Finding{Text: "the upstream does not answer the question any more"})
	case answered(first):
		return d.resolves()
	}
	said := option.Read(first)
	if specific(said) {
		d.step(true, "%s says why: %s", d.Failing.Name, list(said))
		f := d.explained(cause.Relayed(d.Verdict, said), "", false)
		f.Disagrees = d.disagrees(ctx, said)
		return f
	}
	if first.Rcode == dns.RcodeRefused {
		return d.refused(ctx)
	}
	return d.servfail(ctx, d.ask(ctx, true), said)
}

// servfail tells DNSSEC from other failures by what the question with CD=1, which
// was asked, comes to.
func (d *diagnosis) servfail(ctx context.Context, unchecked asked, said []option.Option) Finding {
	checked, err := d.await(ctx, unchecked)
	switch {
	case errors.Is(err, errExplained):
		return d.ofServers
	case err == nil && answered(checked):
		return d.unchecked(ctx, said)
	}
	return d.withheld(ctx, said)
}

// patience is how long an upstream that answers with CD=1 may take with CD=0.
const patience = time.Second

// unchecked looks for the reason where the upstream answers with CD=1. Beside the
// validation it is asked with CD=0 once more: one good answer would mean that the
// failure has passed.
func (d *diagnosis) unchecked(ctx context.Context, said []option.Option) Finding {
	ask := d.ask(ctx, false)
	found := d.follow(ctx, d.Failing, d.Question)
	byDNSSEC := true
	select {
	case again := <-ask.came:
		d.told(ask, again)
		switch {
		case again.err != nil:
		case answered(again.reply):
			return d.resolves()
		case again.reply.Rcode == dns.RcodeServerFailure:
			if len(said) == 0 {
				said = option.Read(again.reply)
			}
		default:
			byDNSSEC = false
		}
	case <-time.After(patience):
		d.step(false, "%s answers with CD=1, and not with CD=0", d.Failing.Name)
	}
	d.trace(found)
	if f, ok := d.dnssec(ctx, found, byDNSSEC, said); ok {
		return f
	}
	return d.compare(ctx, Finding{Text: "the upstream answers with CD=1 only" + d.but(found)})
}

// withheld looks for the reason where the upstream fails with CD=1 too. That is
// seldom DNSSEC, and what the zone's own servers do comes first: a chain with
// silent servers in it takes all the time there is.
func (d *diagnosis) withheld(ctx context.Context, said []option.Option) Finding {
	following, cancel := context.WithCancel(ctx)
	defer cancel()
	came := make(chan dnssec.Finding, 1)
	go func() { came <- d.follow(following, d.Failing, d.Question) }()
	if d.probes() {
		if f, ok := d.delegation(ctx); ok {
			cancel()
			<-came
			return f
		}
	}
	found := <-came
	d.trace(found)
	if f, ok := d.dnssec(ctx, found, false, said); ok {
		return f
	}
	return d.compare(ctx, Finding{Text: "the upstream fails with and without DNSSEC validation" + d.but(found)})
}

// but says what kept a validation from a finding.
func (d *diagnosis) but(found dnssec.Finding) string {
	switch {
	case len(d.Anchors) == 0:
		return ""
	case found.Status == dnssec.Undecided:
		return "; " + found.Text
	}
	return fmt.Sprintf("; validated here it is %s: %s", found.Status, found.Text)
}

// silence tells an upstream that answers nothing from one that only this
// question keeps busy: a resolver that cannot validate, or reach a zone, may try
// for longer than forward waits. Only what it answers otherwise is evidence.
func (d *diagnosis) silence(ctx context.Context) Finding {
	unchecked := d.ask(ctx, true)
	control := dns.Question{Name: ".", Qtype: dns.TypeNS, Qclass: dns.ClassINET}
	_, err := d.Failing.Exchange(ctx, question(control, true, true))
	if err == nil {
		d.step(true, "%s answers a control question", d.Failing.Name)
	} else {
		d.step(false, "%s does not answer a control question either: %v", d.Failing.Name, err)
		first := <-unchecked.came
		if first.err != nil {
			return Finding{Silent: true, Text: "the upstream does not answer a control question either"}
		}
		unchecked.came <- first
	}
	checked, err := d.await(ctx, unchecked)
	switch {
	case errors.Is(err, errExplained):
		return d.ofServers
	case err == nil && answered(checked):
		return d.unchecked(ctx, nil)
	case err == nil:
		return d.withheld(ctx, option.Read(checked))
	}
	if d.probes() {
		if f, ok := d.delegation(ctx); ok {
			return f
		}
	}
	return d.compare(ctx, Finding{Text: "the upstream answers a control question, and not this one in time"})
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
