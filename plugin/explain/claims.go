package explain

import (
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"golang.org/x/net/publicsuffix"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/exchange"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
)

const (
	// claimed is how long it counts what an upstream said of a zone.
	claimed = time.Minute
	// maxClaimed and maxClaimants bound the zones and the upstreams that are remembered.
	maxClaimed, maxClaimants = 32, 64
	// afresh is how often it is asked what an upstream has answered well.
	afresh = time.Second
)

// hearsay remembers of which unrelated zones upstreams said the same lately. The zero
// value is ready, and it is safe for concurrent use.
type hearsay struct {
	mu        sync.Mutex
	claimants map[string]*[cause.Kinds]claims
}

// claims are what an upstream said of one kind.
type claims struct {
	zones []claim
	// before is how many answers the upstream had given when the first of them was
	// made, good how many more when that was read last.
	// counted is of how many zones that was.
	began, read  time.Time
	before, good uint64
	counted      int
	// top is the root, or a top-level domain, and toldTop when it was said of that.
	top     string
	toldTop time.Time
}

type claim struct {
	zone string
	told time.Time
}

// weigh counts what an upstream says of name, if it was said just now, and returns how
// much else it said the same of. answered returns how many queries it has answered well;
// nil if nobody counts them.
func (h *hearsay) weigh(now time.Time, upstream string, kind cause.Hearsay, name string, fresh bool, answered func() uint64) cause.Weight {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.of(now, upstream, kind)
	if fresh {
		c.begin(now, answered)
		c.tell(now, kind, name)
	}
	w := cause.Weight{Zones: len(c.zones), Top: c.top}
	if (w.Zones > 1 || w.Top != "") && answered != nil {
		w.Alone = c.nothingElse(now, answered) && now.Sub(c.began) >= longEnough
	}
	return w
}

func (h *hearsay) of(now time.Time, upstream string, kind cause.Hearsay) *claims {
	kinds, ok := h.claimants[upstream]
	if !ok {
		if h.claimants == nil || len(h.claimants) >= maxClaimants {
			h.claimants = make(map[string]*[cause.Kinds]claims)
		}
		kinds = &[cause.Kinds]claims{}
		h.claimants[upstream] = kinds
	}
	c := &kinds[kind]
	c.forget(now)
	return c
}

// forget drops what was said more than a minute ago.
func (c *claims) forget(now time.Time) {
	kept := c.zones[:0]
	for _, z := range c.zones {
		if now.Sub(z.told) < claimed {
			kept = append(kept, z)
		}
	}
	c.zones = kept
	if now.Sub(c.toldTop) >= claimed {
		c.top = ""
	}
}

// begin counts answers anew, at most once a minute, where nothing is left of what was
// said, or others were answered: an upstream may have lost its connection to the Internet since then.
func (c *claims) begin(now time.Time, answered func() uint64) {
	if answered == nil || now.Sub(c.began) < claimed || len(c.zones) > 0 && c.nothingElse(now, answered) {
		return
	}
	c.zones = c.zones[:0]
	c.began, c.read, c.counted, c.before, c.good = now, now, 0, answered(), 0
}

// longEnough is how long an upstream has to answer nothing else: whoever tries a page of
// broken zones asks for them all at once.
const longEnough = 10 * time.Second

// nothingElse reports whether the upstream has answered nothing well since the first
// claim was made.
func (c *claims) nothingElse(now time.Time, answered func() uint64) bool {
	if c.good == 0 && (len(c.zones) > c.counted || now.Sub(c.read) >= afresh) {
		c.read, c.counted = now, len(c.zones)
		if total := answered(); total > c.before {
			c.good = total - c.before
		}
	}
	return c.good == 0
}

// tell notes that it was said of name.
func (c *claims) tell(now time.Time, kind cause.Hearsay, name string) {
	if isTop(kind, name) {
		c.top, c.toldTop = name, now
		return
	}
	zone := incident.ZoneOf(name, ".")
	if zone == "." {
		zone = name
	}
	oldest := 0
	for i, z := range c.zones {
		if z.zone == zone {
			c.zones[i].told = now
			return
		}
		if z.told.Before(c.zones[oldest].told) {
			oldest = i
		}
	}
	if len(c.zones) < maxClaimed {
		c.zones = append(c.zones, claim{zone, now})
		return
	}
	c.zones[oldest] = claim{zone, now}
}

// isTop reports whether what is said of name is more likely of the upstream than what is
// said of a zone: the servers of the root, or of a public top-level domain, are seldom out
// of reach at once. Signatures of a top-level domain have been wrong.
func isTop(kind cause.Hearsay, name string) bool {
	if name == "." {
		return true
	}
	_, public := publicsuffix.PublicSuffix(strings.TrimSuffix(name, "."))
	return kind == cause.OfReach && dns.CountLabel(name) == 1 && public
}

// weigh holds v against what its upstream said of others.
func (x *Explainer) weigh(ev *evidence.Evidence, v *cause.Verdict) *cause.Verdict {
	kind := v.Hearsay()
	if kind == cause.NoHearsay {
		return v
	}
	for ev.Nested != nil {
		ev = ev.Nested
	}
	if ev.Upstream == "" {
		return v
	}
	var answered func() uint64
	if ev.At == "forward" {
		answered = func() uint64 { return exchange.Answered(ev.Upstream) }
	}
	w := x.heard.weigh(time.Now(), ev.Upstream, kind, dns.CanonicalName(ev.Asked.Name), !ev.CacheHit, answered)
	return v.Weighed(w)
}
