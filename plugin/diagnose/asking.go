package diagnose

import (
	"context"
	"errors"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/delegation"
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
		reply, err := d.Failing.Exchange(ctx, m)
		a.came <- answer{reply, err}
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

// canonical is how a validation spells a question.
func canonical(q dns.Question) dns.Question {
	q.Name = dns.CanonicalName(q.Name)
	return q
}

// headstart is how long the upstream may take before the zone's own servers are
// asked beside it: it is likely to be trying some that do not answer.
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

// probe begins to ask the zone's own servers, once.
func (d *diagnosis) probe(ctx context.Context) *probing {
	if d.probing == nil {
		p := &probing{ended: make(chan struct{})}
		d.probing = p
		go func() {
			defer close(p.ended)
			d.source = d.prober(ctx).Source(ctx)
			p.found = d.source.Probe(d.Question.Name, d.Question.Qtype)
		}()
	}
	return d.probing
}

// probes tells whether the zone's own servers may be asked.
func (d *diagnosis) probes() bool { return d.Delegation != nil && !d.private() }
