package diagnose

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/control"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/delegation"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/uplink"
	"github.com/seed-1b7246af/coredns-ede/plugin/guard"
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
	// Compare are resolvers to ask in addition to the configured upstreams.
	Compare []Resolver
	// Delegation asks the zone's own servers; nil leaves them alone.
	Delegation *delegation.Prober
	// Ed448 verifies DNSSEC algorithm 16, if the build includes it.
	Ed448 func(pub, msg, sig []byte) bool
	Now   func() time.Time
	// MaxTime bounds one diagnosis, ten seconds if zero.
	MaxTime time.Duration
	// ByHand: a person asks. The advice names no property of a Corefile.
	ByHand bool
	// controls are what upstreams answered to questions that are nobody's.
	controls control.Answers
	muted    control.Silence
	// answering is how many queries upstreams answered that resolve nothing.
	answering control.Good
	// Progress is called with each step as it is made; it may be nil.
	Progress func(Step)
}

// Diagnose finds out why c fails. It ends within MaxTime and MaxQueries.
func (e *Engine) Diagnose(ctx context.Context, c Case) Finding {
	ctx, cancel := context.WithTimeout(ctx, e.maxTime())
	defer cancel()
	began := e.Now()
	d := e.begin(c)
	d.Failing = d.tallied(d.counted(c.Failing))
	d.Others = slices.Clone(c.Others)
	for i, r := range d.Others {
		d.Others[i] = d.counted(r)
	}
	d.cancel = cancel
	f := d.run(ctx)
	cancel()
	d.end()
	if d.aborted.Load() {
		f = Finding{Text: "the diagnosis ended in an error of its own"}
	}
	f.Steps, f.Seen = d.steps, ruledOut(d.seen, f)
	f.Queries = int(d.queries.Load())
	f.Elapsed = e.Now().Sub(began)
	return f
}

// Judge validates a question that is answered: a resolver may answer what a
// validator would reject, or accept as insecure for a reason worth knowing. The
// finding's outcome is Resolves; it has a verdict if there is something to say.
func (e *Engine) Judge(ctx context.Context, c Case) Finding {
	ctx, cancel := context.WithTimeout(ctx, e.maxTime())
	defer cancel()
	began := e.Now()
	d := e.begin(c)
	d.Failing = d.counted(c.Failing)
	found := d.follow(ctx, d.Failing, d.Question)
	d.trace(found)
	f := Finding{Outcome: Resolves, Zone: found.Zone, Text: "DNSSEC: " + found.Status.String()}
	switch {
	case found.Status == dnssec.Undecided:
		f.Text = "DNSSEC could not be judged: " + found.Text
	case found.Text != "":
		f.Text += ", " + found.Text
	}
	if len(found.Codes) > 0 {
		f.Text, f.Fault = found.Text, &found
		if id, ok := causeOf[found.Codes[0]]; ok {
			f.Verdict = d.unattested(&found, cause.Diagnosed(d.Verdict, id, found.Codes, found.Text, found.Text, found.Zone))
		}
	}
	f.Steps, f.Queries, f.Elapsed = d.steps, int(d.queries.Load()), e.Now().Sub(began)
	return f
}

func (e *Engine) begin(c Case) *diagnosis {
	d := &diagnosis{Engine: e, Case: c, given: make(map[dns.Question]*dns.Msg)}
	d.uplinks = uplink.New(&e.controls, e.Now, d.step)
	return d
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
	// cancel ends the diagnosis, and aborted is true once a part of it has panicked:
	// nothing is claimed then.
	cancel  context.CancelFunc
	aborted atomic.Bool
	// suspect is who is looked at, and seen what was seen of those before.
	suspect string
	seen    []string
	// why and advice are for the case that nobody is convicted, and silent says
	// that the upstream answers nothing.
	why, advice string
	silent      bool
	// onlyCD is true if why says that the upstream answers only with CD=1, confirmed is whether
	// it does, nil until that was asked, and varying what was seen if it does not.
	onlyCD    bool
	confirmed *bool
	varying   string
	// first is what the question was answered with CD=0, or lost why it was not;
	// unvalidated is the answer with CD=1. Both are nil without one. said is the
	// upstream's own reason.
	first, unvalidated *dns.Msg
	lost               error
	said               []option.Option
	// compared: others were asked; denied: they say that there is no such name; exists: one
	// answers it; holds: the chain is in order here; refusesAll: the root is refused too.
	compared, denied, exists, holds, refusesAll bool
	// signed is who gives an answer with signatures where the upstream's has none.
	signed string
	// unsettled is true if CD=0 was answered otherwise when it was asked again.
	unsettled bool
	// chain is the validation under way, and found its finding.
	chain chan dnssec.Finding
	found *dnssec.Finding
	// sent and came count what the failing upstream was asked and answered.
	sent, came atomic.Int64
	// uplinks show whether resolvers reach the Internet; unproved is what the last proof
	// lacked, and zones is where it was looked for.
	uplinks  *uplink.Prober
	unproved unproved
	zones    []string
	// whole: more than one type of the name fails; answersNow: the question is answered now.
	whole, answersNow bool
	// lossy is true once a reply was lost where others came.
	lossy atomic.Bool
	// given is what the failing upstream said with CD=1.
	given map[dns.Question]*dns.Msg
	// probing is what the zone's own servers are asked, source all that they say,
	// and ofServers the finding that follows; nil until they are.
	probing   *probing
	source    *delegation.Source
	ofServers Finding
}

// end leaves nothing behind that uses the diagnosis.
func (d *diagnosis) end() {
	if d.probing != nil {
		<-d.probing.ended
	}
	if d.chain != nil && d.found == nil {
		<-d.chain
	}
}

// spend takes a query off the budget.
func (d *diagnosis) spend() bool {
	if d.queries.Add(1) > MaxQueries {
		d.queries.Add(-1)
		return false
	}
	return true
}

// counted returns r with its queries counted against the budget, and ended with
// their context: forward's transports look at their own time alone.
func (d *diagnosis) counted(r Resolver) Resolver {
	count := func(exchange Exchange) Exchange {
		if exchange == nil {
			return nil
		}
		return func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
			if !d.spend() {
				return nil, dnssec.ErrBudget
			}
			return within(ctx, func() (*dns.Msg, error) { return exchange(ctx, m) })
		}
	}
	r.Exchange, r.UDP, r.TCP = count(r.Exchange), count(r.UDP), count(r.TCP)
	return r
}

// within ends with ctx, and leaves ask behind if that takes longer.
func within(ctx context.Context, ask func() (*dns.Msg, error)) (*dns.Msg, error) {
	type result struct {
		reply *dns.Msg
		err   error
	}
	done := make(chan result, 1)
	go func() {
		r := result{err: errPanicked}
		defer func() { done <- r }()
		defer guard.Catch(guard.Diagnosing, nil)
		r.reply, r.err = ask()
	}()
	select {
	case got := <-done:
		return got.reply, got.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
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
