package diagnose

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/delegation"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
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
	d := e.begin(c)
	d.Failing = d.counted(c.Failing)
	d.Others = slices.Clone(c.Others)
	for i, r := range d.Others {
		d.Others[i] = d.counted(r)
	}
	f := d.run(ctx)
	cancel()
	d.end()
	f.Steps = d.steps
	f.Queries = int(d.queries.Load())
	f.Elapsed = e.Now().Sub(began)
	return f
}

func (e *Engine) begin(c Case) *diagnosis {
	return &diagnosis{Engine: e, Case: c, given: make(map[dns.Question]*dns.Msg)}
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
	exchange := r.Exchange
	r.Exchange = func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
		if !d.spend() {
			return nil, dnssec.ErrBudget
		}
		return within(ctx, func() (*dns.Msg, error) { return exchange(ctx, m) })
	}
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
		reply, err := ask()
		done <- result{reply, err}
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

// query is the case's question with EDNS, and with DO as it was asked: there are
// resolvers to which it makes a difference. With CD=1 it is for us to validate.
func (d *diagnosis) query(cd bool) *dns.Msg { return question(d.Question, cd, cd || d.DNSSECOK) }

func question(q dns.Question, cd, do bool) *dns.Msg {
	m := new(dns.Msg)
	m.Id = dns.Id()
	m.RecursionDesired = true
	m.CheckingDisabled = cd
	m.Question = []dns.Question{q}
	m.SetEdns0(udpSize, do)
	return m
}
