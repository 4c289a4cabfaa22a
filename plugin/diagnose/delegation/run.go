package delegation

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/guard"
)

var errBudget = errors.New("delegation: no questions left")

// run is the state of one Source.
type run struct {
	ctx context.Context
	p   *Prober

	mu      sync.Mutex
	queries int
	sent    map[netip.AddrPort]int
	granted map[netip.AddrPort]int
	heard   map[netip.AddrPort]bool
	served  map[netip.AddrPort]bool
	silence map[netip.AddrPort]Outcome
	lost    map[netip.AddrPort]int
	steps   []Step
	// zones are those that were come through, by apex. Only the goroutine that
	// descends uses them.
	zones map[string]*zone
}

func newRun(ctx context.Context, p *Prober) *run {
	return &run{
		ctx:     ctx,
		p:       p,
		sent:    map[netip.AddrPort]int{},
		granted: map[netip.AddrPort]int{},
		heard:   map[netip.AddrPort]bool{},
		served:  map[netip.AddrPort]bool{},
		silence: map[netip.AddrPort]Outcome{},
		lost:    map[netip.AddrPort]int{},
		zones:   map[string]*zone{".": p.root()},
	}
}

// keep remembers z and the zones above it.
func (r *run) keep(z *zone) {
	for ; z != nil; z = z.parent {
		r.zones[z.name] = z
	}
}

func (r *run) step(ok bool, zone, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.steps) < maxSteps {
		r.steps = append(r.steps, Step{Zone: zone, What: fmt.Sprintf(format, args...), OK: ok})
	}
}

// spend takes one question off the budget.
func (r *run) spend() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.spendLocked()
}

func (r *run) spendLocked() bool {
	limit := r.p.MaxQueries
	if limit == 0 {
		limit = DefaultMaxQueries
	}
	if r.queries >= limit || r.ctx.Err() != nil {
		return false
	}
	r.queries++
	return true
}

// maxUnserved is how many tries a server gets of which none brought a usable answer. A
// hostile zone may name a server that has nothing to do with it.
const maxUnserved = 12

// left is how many more tries a may get: a server that never said anything gets
// maxTries in all, whatever is asked, or as many as grant gives it.
func (r *run) left(a netip.AddrPort) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.leftLocked(a)
}

func (r *run) leftLocked(a netip.AddrPort) int {
	switch {
	case r.served[a]:
		return DefaultMaxQueries
	case r.heard[a]:
		return maxUnserved - r.sent[a]
	}
	return max(maxTries, r.granted[a]) - r.sent[a]
}

// spendOn takes a try on a off the budget and off what a may get, before it
// leaves: others go out meanwhile.
func (r *run) spendOn(a netip.AddrPort) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.leftLocked(a) <= 0 || !r.spendLocked() {
		return false
	}
	r.sent[a]++
	return true
}

// note keeps what a try on a came to.
func (r *run) note(a netip.AddrPort, rep reply) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if rep.came() {
		r.heard[a] = true
		if rep.outcome.usable() {
			r.served[a] = true
		}
	} else {
		r.silence[a] = rep.outcome
		if rep.outcome == Timeout {
			r.lost[a]++
		}
	}
}

// retryAfter is how long a try has to itself. Then the next one goes out in addition to
// it: an answer may be held for two seconds at most, and within them a server is
// tried often enough to be called silent.
const retryAfter = 300 * time.Millisecond

// ask puts one question to a server of zone, up to tries times until a reply
// comes. The last of several tries, the last that a silent server gets, and one
// more after FORMERR, NOTIMP or BADVERS go without EDNS: some servers drop what
// they do not know (RFC 8906 section 3.2).
// An answer to one of these waits for the tries that are under way: a truncated answer
// is one with EDNS.
func (r *run) ask(ctx context.Context, s server, zone, name string, qtype uint16, tries int) reply {
	ctx, cancel := context.WithCancel(ctx)
	came := make(chan reply, tries)
	underWay := 0
	// What the first good reply leaves under way is ended, and nobody is left
	// behind.
	defer func() {
		cancel()
		for range underWay {
			<-came
		}
	}()
	next := time.NewTimer(0)
	defer next.Stop()
	rep := reply{outcome: Unasked}
	for try := 0; try < tries || underWay > 0; {
		select {
		case <-next.C:
			if try == tries {
				continue
			}
			edns := rep.outcome == Cut || (try == 0 || try < tries-1) && r.left(s.addr) != 1
			underWay++
			try++
			go func() {
				came <- guard.Value(guard.Diagnosing, func() reply { return r.try(ctx, s, zone, name, qtype, edns) })
			}()
			next.Reset(retryAfter)
		case got := <-came:
			underWay--
			rep = rep.then(got)
			// A closed port may be a server that restarts; a missing route stays.
			if rep.msg != nil || got.outcome == Unasked || rep.outcome.barred() || (rep.outcome == Closed || rep.outcome == Cut) && try > 1 {
				tries = try
			}
			if rep.msg != nil && (underWay == 0 || !rep.undressed()) {
				return r.told(s, zone, name, qtype, rep)
			}
			next.Reset(0)
		}
	}
	return r.told(s, zone, name, qtype, rep)
}

// told notes for people what a question came to.
func (r *run) told(s server, zone, name string, qtype uint16, rep reply) reply {
	if rep.outcome != Unasked {
		r.step(rep.outcome.usable(), zone, "%s %s asked for %s %s: %s", short(s.name), s.addr, short(name), dns.Type(qtype), rep.describe())
	}
	return rep
}

// try is one try, and the one without EDNS that its failure calls for.
func (r *run) try(ctx context.Context, s server, zone, name string, qtype uint16, edns bool) reply {
	rep := r.once(ctx, s, zone, question(name, qtype, edns))
	if edns && rep.msg != nil && ednsRejected(rep.msg.Rcode) {
		if again := r.once(ctx, s, zone, question(name, qtype, false)); again.msg != nil {
			again.rejected = true
			return again
		}
	}
	return rep
}

// once makes a single try. It is the one place where anything is sent to a
// server. If it may not be made, what is known of the server's silence stays.
func (r *run) once(ctx context.Context, s server, zone string, q *dns.Msg) reply {
	if r.left(s.addr) <= 0 {
		return reply{outcome: r.silenceOf(s.addr)}
	}
	if !r.p.mayAsk(s.addr.Addr()) || !r.spendOn(s.addr) {
		return reply{outcome: Unasked}
	}
	start := r.p.now()
	m, err := r.p.Direct(ctx, s.addr, q)
	rep := reply{rtt: r.p.now().Sub(start)}
	switch {
	case err == nil && m != nil:
		rep.msg = m
		rep.outcome, rep.cut = judge(m, zone, q.Question[0].Name)
		if q.IsEdns0() == nil && rep.outcome == Answers {
			rep.outcome = AnswersBare
		}
	case err == nil:
		rep.outcome = Malformed
	case ctx.Err() != nil:
		// The question was given up: what the server would have done is not known.
		return rep
	default:
		rep.outcome = outcomeOf(err)
	}
	r.note(s.addr, rep)
	return rep
}
