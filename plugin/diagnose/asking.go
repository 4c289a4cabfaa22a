package diagnose

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/control"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/delegation"
	"github.com/seed-1b7246af/coredns-ede/plugin/exchange"
	"github.com/seed-1b7246af/coredns-ede/plugin/guard"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// asked is the case's question, under way to the failing upstream.
type asked struct {
	cd   bool
	came chan answer
}

type answer struct {
	reply *dns.Msg
	err   error
}

// ask puts the question to the failing upstream and does not wait.
func (d *diagnosis) ask(ctx context.Context, cd bool) asked {
	a := asked{cd, make(chan answer, 1)}
	m := d.query(cd)
	go func() {
		a.came <- part(d, func() answer {
			reply, err := d.insist(ctx, d.Failing, m)
			return answer{reply, err}
		})
	}()
	return a
}

// told notes what the failing upstream said.
func (d *diagnosis) told(q asked, a answer) {
	if a.err == nil {
		if q.cd {
			d.given[canonical(d.Question)] = a.reply
		}
		d.step(answered(a.reply), "%s answers %s with CD=%d", d.Failing.Name, dns.RcodeToString[a.reply.Rcode], bit(q.cd))
	}
}

// insist puts m to r, and again where no reply comes and others did: a lost packet is
// no answer. Where one was lost already it does not wait for the end of a try before
// it makes the next.
func (d *diagnosis) insist(ctx context.Context, r Resolver, m *dns.Msg) (*dns.Msg, error) {
	came := make(chan answer, maxTries)
	try := func() {
		a := answer{err: errPanicked}
		defer func() { came <- a }()
		defer guard.Catch(guard.Diagnosing, nil)
		a.reply, a.err = r.Exchange(ctx, m)
	}
	tries, open := 1, 1
	go try()
	again := time.NewTimer(d.haste())
	defer again.Stop()
	for {
		next := false
		select {
		case a := <-came:
			open--
			if a.err == nil || !control.TimedOut(a.err) || isCut(a.err) || errors.Is(a.err, context.DeadlineExceeded) && ctx.Err() != nil {
				return a.reply, a.err
			}
			d.lossy.Store(true)
			if next = tries < maxTries && d.came.Load() > 0; !next && open == 0 {
				return nil, a.err
			}
		case <-again.C:
			next = tries < maxTries && d.lossy.Load()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if next {
			tries, open = tries+1, open+1
			go try()
			again.Reset(d.haste())
		}
	}
}

// isCut tells a reply that is lost over TCP, of which a truncated one came.
func isCut(err error) bool {
	var cut *exchange.CutError
	return errors.As(err, &cut)
}

const (
	// maxTries is how often a question is asked before silence is taken for one.
	maxTries = 3
	// hasty is when the next try is made on a path that loses packets.
	hasty = 700 * time.Millisecond
)

// haste is how long a try is waited for before the next is made in parallel.
func (d *diagnosis) haste() time.Duration {
	if d.lossy.Load() {
		return hasty
	}
	return time.Hour
}

// canonical is how a validation spells a question.
func canonical(q dns.Question) dns.Question {
	q.Name = dns.CanonicalName(q.Name)
	return q
}

// headstart is how long the upstream may take before the zone's own servers are
// asked too: it is likely to be trying some that do not answer.
const headstart = 250 * time.Millisecond

// errExplained says that what the zone's own servers did leaves no need to wait
// for the upstream; the finding is in ofServers.
var errExplained = errors.New("explained by the zone's own servers")

// await waits for the upstream's answer.
func (d *diagnosis) await(ctx context.Context, q asked) (*dns.Msg, error) {
	late := make(<-chan time.Time)
	var probed <-chan struct{}
	switch {
	case d.probing != nil:
		probed = d.probing.ended
	case d.probes():
		t := time.NewTimer(headstart)
		defer t.Stop()
		late = t.C
	}
	for {
		select {
		case a := <-q.came:
			d.told(q, a)
			return a.reply, a.err
		case <-late:
			probed = d.probe(ctx).ended
		case <-probed:
			probed = nil
			if f, ok := d.delegation(ctx); ok {
				d.ofServers = f
				return nil, errExplained
			}
		}
	}
}

// probing is a question to the zone's own servers, under way or ended.
type probing struct {
	ended chan struct{}
	found delegation.Finding
	told  bool
}

// unjudged is why nothing follows from what the zone's own servers did; "" if something
// does, or they were not asked.
func (d *diagnosis) unjudged() string {
	if d.probing == nil || !d.probing.told || d.probing.found.Kind != delegation.Undecided {
		return ""
	}
	return d.probing.found.Text
}

// probe begins to ask the zone's own servers, once.
func (d *diagnosis) probe(ctx context.Context) *probing {
	if d.probing == nil {
		p := &probing{ended: make(chan struct{})}
		d.probing = p
		go func() {
			defer close(p.ended)
			defer guard.Catch(guard.Diagnosing, d.abort)
			d.source = d.prober(ctx).Source(ctx)
			p.found = d.source.Follow(d.Question.Name, d.Question.Qtype)
		}()
	}
	return d.probing
}

// probes tells whether the zone's own servers may be asked.
func (d *diagnosis) probes() bool { return d.Delegation != nil && !d.private() }

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

// each reports whether the upstream's answers to m are as holds says, asked again a few times:
// of an upstream that fails at random, one answer in one way and one failure in another show
// nothing of the way.
func (d *diagnosis) each(ctx context.Context, m *dns.Msg, holds func(*dns.Msg) bool) bool {
	for range confirming {
		reply, err := d.Failing.Exchange(ctx, m)
		if err != nil || !holds(reply) {
			return false
		}
	}
	return true
}

// hasRcode is for each.
func hasRcode(code int) func(*dns.Msg) bool {
	return func(m *dns.Msg) bool { return m.Rcode == code }
}

// unlike says that the upstream was not seen to do again what it did once: it did otherwise, or
// there was no time left.
func (d *diagnosis) unlike(format string, args ...any) (Finding, bool) {
	what := fmt.Sprintf(format, args...) + "; asked again, it was not seen to do the same each time"
	d.saw(false, "%s", what)
	return d.because(adviceVaries, "%s", what)
}
