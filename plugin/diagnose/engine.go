package diagnose

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/compare"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/delegation"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// Limits of one diagnosis.
const (
	MaxQueries     = 60
	defaultMaxTime = 10 * time.Second
)

// udpSize is what probes offer, the size that avoids fragmentation (RFC 9715).
const udpSize = 1232

// Engine makes diagnoses. Its fields must not change while it is in use.
type Engine struct {
	// Anchors are the trust anchors; without any, DNSSEC is not judged.
	Anchors []dns.RR
	// Private are zones that the public tree does not judge.
	Private []string
	// Compare are resolvers to ask besides the configured upstreams.
	Compare []Resolver
	// Delegation asks the zone's own servers; nil leaves them alone.
	Delegation *delegation.Prober
	// Ed448 verifies DNSSEC algorithm 16, if the build has it.
	Ed448 func(pub, msg, sig []byte) bool
	Now   func() time.Time
	// MaxTime bounds one diagnosis, ten seconds if zero.
	MaxTime time.Duration
	// Progress is called with each step as it is made; it may be nil.
	Progress func(Step)
}

// Diagnose finds out why c fails. It ends within MaxTime and MaxQueries.
func (e *Engine) Diagnose(ctx context.Context, c Case) Finding {
	ctx, cancel := context.WithTimeout(ctx, e.maxTime())
	defer cancel()
	began := e.Now()
	d := &diagnosis{Engine: e, Case: c}
	d.Failing = d.counted(c.Failing)
	d.Others = slices.Clone(c.Others)
	for i, r := range d.Others {
		d.Others[i] = d.counted(r)
	}
	f := d.run(ctx)
	f.Steps = d.steps
	f.Queries = int(d.queries.Load())
	f.Elapsed = e.Now().Sub(began)
	return f
}

func (e *Engine) maxTime() time.Duration {
	if e.MaxTime > 0 {
		return e.MaxTime
	}
	return defaultMaxTime
}

// diagnosis is one run of the engine.
type diagnosis struct {
	*Engine
	Case
	queries atomic.Int64
	steps   []Step
}

// counted returns r with its queries counted against the budget.
func (d *diagnosis) counted(r Resolver) Resolver {
	exchange := r.Exchange
	r.Exchange = func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
		if d.queries.Add(1) > MaxQueries {
			return nil, dnssec.ErrBudget
		}
		return exchange(ctx, m)
	}
	return r
}

func (d *diagnosis) step(ok bool, format string, args ...any) {
	d.note(Step{What: fmt.Sprintf(format, args...), OK: ok})
}

func (d *diagnosis) note(s Step) {
	d.steps = append(d.steps, s)
	if d.Progress != nil {
		d.Progress(s)
	}
}

// query is the case's question with EDNS.
func (d *diagnosis) query(cd bool) *dns.Msg { return question(d.Question, cd) }

func question(q dns.Question, cd bool) *dns.Msg {
	m := new(dns.Msg)
	m.Id = dns.Id()
	m.RecursionDesired = true
	m.CheckingDisabled = cd
	m.Question = []dns.Question{q}
	m.SetEdns0(udpSize, true)
	return m
}

func (d *diagnosis) run(ctx context.Context) Finding {
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
		return d.explained(cause.Relayed(d.Verdict, said), "", false)
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
	undecided := Finding{Text: "the upstream fails with and without DNSSEC validation"}
	checked, err := d.ask(ctx, true)
	byDNSSEC := err == nil && answered(checked)
	if byDNSSEC {
		again, err := d.ask(ctx, false)
		if err == nil && answered(again) {
			return d.resolves()
		}
		byDNSSEC = err == nil && again.Rcode == dns.RcodeServerFailure
		undecided.Text = "the upstream answers with CD=1 only, and the chain could not be judged here"
	}
	if d.Delegation != nil && !byDNSSEC {
		// What fails with CD=1 too is seldom DNSSEC, and a chain with silent
		// servers in it takes all the time there is.
		if f, ok := d.delegation(ctx); ok {
			return f
		}
	}
	if f, ok := d.dnssec(ctx, byDNSSEC, said); ok {
		return f
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

// compare asks the other upstreams and the resolvers to compare with.
func (d *diagnosis) compare(ctx context.Context, undecided Finding) Finding {
	var others []compare.Resolver
	for _, r := range d.Others {
		others = append(others, compare.Resolver{Name: r.Name, Ask: asker(r, false), SameForward: true})
	}
	for _, r := range d.Compare {
		others = append(others, compare.Resolver{Name: r.Name, Ask: asker(d.counted(r), false)})
	}
	if len(others) == 0 {
		d.step(false, "no other resolver to ask")
		return undecided
	}
	result := compare.Compare(ctx, d.Question, compare.Resolver{Name: d.Failing.Name, Ask: asker(d.Failing, false)}, others)
	d.step(result.Verdict == compare.UpstreamAtFault, "%s", result.FullText)
	switch result.Verdict {
	case compare.UpstreamAtFault:
		v := cause.Diagnosed(d.Verdict, "upstream_at_fault", nil, result.Text, result.FullText, "")
		if result.Advice != "" {
			v.Advice = result.Advice
		}
		return d.explained(v, "", false)
	case compare.ZoneAtFault:
		return d.explained(cause.Diagnosed(d.Verdict, "zone_at_fault", nil, result.Text, result.FullText, ""), "", false)
	}
	return undecided
}

// refused tells an authoritative-only upstream from one that refuses us.
func (d *diagnosis) refused(ctx context.Context) Finding {
	control := compare.Control(ctx, compare.Resolver{Name: d.Failing.Name, Ask: asker(d.Failing, false)}, d.Question.Name)
	d.step(false, "%s", control.FullText)
	if control.Kind == compare.NotRecursive {
		v := cause.Diagnosed(d.Verdict, "upstream_refused_not_recursive", control.Codes, control.Text, control.FullText, "")
		return d.explained(v, "", false)
	}
	return d.compare(ctx, Finding{Text: control.Text})
}

func asker(r Resolver, cd bool) compare.Ask {
	return func(ctx context.Context, q dns.Question) (*dns.Msg, error) { return r.Exchange(ctx, question(q, cd)) }
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

// Judge validates a question that is answered: a resolver may answer what a
// validator would reject, or accept as insecure for a reason worth knowing. The
// finding's outcome is Resolves; it has a verdict if there is something to say.
func (e *Engine) Judge(ctx context.Context, c Case) Finding {
	ctx, cancel := context.WithTimeout(ctx, e.maxTime())
	defer cancel()
	began := e.Now()
	d := &diagnosis{Engine: e, Case: c}
	d.Failing = d.counted(c.Failing)
	found := d.validate(ctx)
	f := Finding{Outcome: Resolves, Zone: found.Zone, Text: found.Text}
	if len(found.Codes) > 0 {
		if id, ok := causeOf[found.Codes[0]]; ok {
			f.Verdict = cause.Diagnosed(d.Verdict, id, found.Codes, found.Text, found.Text, found.Zone)
		}
	}
	if f.Text == "" {
		f.Text = "DNSSEC: " + found.Status.String()
	}
	f.Steps, f.Queries, f.Elapsed = d.steps, int(d.queries.Load()), e.Now().Sub(began)
	return f
}
