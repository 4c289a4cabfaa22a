// Package observe finds out how a query failed inside CoreDNS. A ladder of taps,
// one above each plugin below ede, tells which plugins were entered, with which
// question, and what each gave back. A Run goes down the chain with the query. It
// holds a failing message until the chain has returned, so that exactly one answer
// is sent. What the ladder and the Run saw becomes evidence as soon as it is known that
// the query failed.
//
// CoreDNS tells a plugin nothing of what happened below it but an rcode and an error:
// whatever else there is to know is found here. When CoreDNS changes, this package has
// to change. It knows nothing of causes or INFO-CODEs.
package observe

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/cache"
	"github.com/coredns/coredns/plugin/header"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
	"github.com/seed-1b7246af/coredns-ede/plugin/overheard"
	"github.com/seed-1b7246af/coredns-ede/plugin/unexported"
)

// Ladder is the set of taps of one server block. It is made at set-up and is safe
// for concurrent use once the block's chain is compiled.
type Ladder struct {
	cfg *dnsserver.Config
	// taps holds the tap at each place, place 1 being the plugin right below ede. A
	// chain is compiled once for each key and socket: the last tap made stays.
	taps [maxPlaces + 1]*tap
	// first is the tap that each query enters as it leaves ede, nil if there is none: it does
	// not stand in the chain. See Top.
	first *tap
	// highest is the topmost tap of the chain as far as it is compiled, and over are the
	// constructors of the plugins above that, the lowest first.
	highest *tap
	over    []plugin.Plugin

	// PassThrough makes a run pass failing messages on at once, as the chain wrote
	// them, and only take note of them.
	PassThrough bool
	// Circle is true when the Corefile shows that what this block forwards comes
	// back to it through other blocks of the process.
	Circle bool
	// Template says what the Corefile tells of the block's templates.
	Template evidence.Template

	// Ear has what plugins log about their data. It may be nil.
	Ear *overheard.Ear

	// Answers is told what goes through cache that did not fail. It may be nil.
	Answers Answers

	// Background is called when a refresh that cache did on its own has ended, from
	// cache's goroutine. It may be nil.
	Background func(run *Run, rcode int, err error)
}

// Answers hears of answers that did not fail, on both sides of cache, from the goroutine
// that writes the message. What it is given is not its own: it may return a copy.
type Answers interface {
	// Given is told of the answer m that cache is given.
	Given(q Cached, m *dns.Msg)
	// Passed returns the answer that leaves cache in place of m. fresh is true if cache
	// got a new answer in this query.
	Passed(run *Run, q Cached, m *dns.Msg, fresh bool) *dns.Msg
}

// Cached is a query as cache tells queries apart. The name is in lower case.
type Cached struct {
	Question dns.Question
	DO, CD   bool
}

func cachedOf(r *dns.Msg) Cached {
	if len(r.Question) != 1 || r.Opcode != dns.OpcodeQuery {
		return Cached{}
	}
	q := Cached{Question: r.Question[0], DO: option.RequestOf(r).DO(), CD: r.CheckingDisabled}
	q.Question.Name = lower(q.Question.Name)
	return q
}

// CacheTimes are those of the block's cache; known is false without one, and where
// CoreDNS does not tell.
func (l *Ladder) CacheTimes() (times unexported.CacheTimes, known bool) {
	if c := l.cache(); c != nil {
		return unexported.Times(c)
	}
	return unexported.CacheTimes{}, false
}

// cache is the one of the block, nil if it has none.
func (l *Ladder) cache() *cache.Cache {
	for _, t := range l.taps {
		if t == nil {
			continue
		}
		if c, ok := t.next.(*cache.Cache); ok {
			return c
		}
	}
	return nil
}

// OnlyUpstream is the address of the one upstream that the block has, "" if it has several
// or none.
func (l *Ladder) OnlyUpstream() (addr string) {
	for _, t := range l.taps {
		switch {
		case t == nil || t.upstreams == nil:
		case addr != "" || t.upstreams.only == "":
			return ""
		default:
			addr = t.upstreams.only
		}
	}
	return addr
}

// NSID reports whether the block has the nsid plugin, which stands above ede.
func (l *Ladder) NSID() bool { return l.cfg.Handler("nsid") != nil }

// Upstreams are the addresses of all upstreams that the block has.
func (l *Ladder) Upstreams() (addrs []string) {
	for _, t := range l.taps {
		if t != nil && t.upstreams != nil {
			for _, set := range t.upstreams.sets {
				addrs = append(addrs, set.addrs...)
			}
		}
	}
	return addrs
}

// NewLadder returns the ladder of the server block that cfg belongs to.
func NewLadder(cfg *dnsserver.Config) *Ladder { return &Ladder{cfg: cfg} }

// Install puts a tap above every plugin that follows position own in the block's
// list of constructors, but for the first: that one gets its tap from Top. It is to
// be called once all directives of the block have run and before the chain is
// compiled. Each plugin keeps its place, and the handler that CoreDNS registers
// stays the real one. There is no tap above plugins that pass every query on: no failure
// begins there, and each tap makes the stack of a query deeper.
func (l *Ladder) Install(own int) {
	for i := own + 1; i < len(l.cfg.Plugin); i++ {
		build := l.cfg.Plugin[i]
		l.cfg.Plugin[i] = func(next plugin.Handler) plugin.Handler {
			if next == nil {
				// file answers REFUSED only if its Next is nil.
				l.highest, l.over = nil, nil
				return build(nil)
			}
			h := build(l.above(next, i-own+1))
			l.over = append(l.over, build)
			l.highest.below(h)
			return h
		}
	}
}

// above returns the tap above next, or next itself if it needs none.
func (l *Ladder) above(next plugin.Handler, place int) plugin.Handler {
	t := l.newTap(next, place)
	// The last plugin of a chain cannot pass anything on.
	if l.highest != nil && passesOn(t.name) && place < maxPlaces {
		l.highest.passed |= bitOf(t.place)
		return next
	}
	l.highest, l.over = t, nil
	if t.upstreams != nil {
		return asking{t}
	}
	return t
}

// Top returns what ede calls, where next is the plugin below it; nil if next is nil. All that
// the topmost tap has to note is known as soon as the query leaves ede, if its plugin asks no
// upstream and nobody listens to it: such a tap is left out of the chain again.
func (l *Ladder) Top(next plugin.Handler) plugin.Handler {
	l.first = nil
	if next == nil {
		return nil
	}
	h := l.above(next, 1)
	if t := l.highest; !t.records && !t.aboveCache && t.upstreams == nil {
		l.first, h = t, t.next
		for _, build := range l.over {
			h = build(h)
		}
	}
	l.highest, l.over = nil, nil
	return h
}

func (l *Ladder) newTap(next plugin.Handler, place int) *tap {
	t := &tap{next: next, asked: next, name: next.Name(), ladder: l, place: uint8(min(place, maxPlaces))}
	t.stock = isStock(t.name)
	t.records = !t.stock || verifies(next)
	t.aboveCache = t.name == "cache" && l.Answers != nil
	if asksUpstream(t.name) {
		t.upstreams = newUpstreams(next)
		if t.upstreams.flights != nil {
			t.asked = counting{next, t.upstreams.flights}
		}
	}
	l.taps[t.place] = t
	return t
}

// passesOn is true for CoreDNS's own plugins that pass every query on to the next one, and its
// answer and its rcode back at once. minimal does not: it takes the answer, and writes another one
// when the plugins below it have returned.
func passesOn(plugin string) bool { return plugin == "loadbalance" || plugin == "header" }

// asksUpstream is true for CoreDNS's own plugins that pass queries on to other
// servers.
func asksUpstream(plugin string) bool { return plugin == "forward" || plugin == "grpc" }

func isStock(plugin string) bool { return evidence.Stock[plugin] }

// changesRcodes is true for plugins that can change the rcode of a message on its way
// up: rewrite has a rule for it, and nobody knows what plugins do that CoreDNS does not
// ship.
func changesRcodes(plugin string) bool { return plugin == "rewrite" || !isStock(plugin) }

// verifies reports whether h is a cache that asks first before it gives a stale answer.
func verifies(h plugin.Handler) bool {
	c, ok := h.(*cache.Cache)
	return ok && unexported.Verifies(c)
}

// changesFlags reports whether h sets or clears flags of the answers that pass it.
func changesFlags(h plugin.Handler) bool {
	flags, ok := h.(header.Header)
	return ok && len(flags.ResponseRules) > 0
}
