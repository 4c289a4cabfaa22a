package report

import (
	"time"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logline"
)

// maxInstances bounds what is kept by instance, of all and of each cause. Those
// beyond it count as one.
const maxInstances = 4096

// A stand is how a cause stands on one instance: whether and when it failed last
// there, and when a recovery was logged.
type stand struct {
	failed          bool
	last, recovered time.Time
}

// over reports whether the cause has ended there.
func (s *stand) over() bool { return !s.recovered.IsZero() && !s.recovered.Before(s.last) }

// meet remembers that an instance has written a line, of any kind.
func (t *tally) meet(r *logline.Record) {
	if name := r.Get(logline.Instance); len(name) > 0 && uint64(len(t.met)) < maxInstances {
		if _, known := t.met[string(name)]; !known {
			t.met[string(name)] = struct{}{}
		}
	}
}

// on returns how c stands on the instance that wrote r. Lines that name none are
// taken to be of one.
func (c *causeTally) on(r *logline.Record) *stand {
	name := r.Get(logline.Instance)
	if s := c.stands[string(name)]; s != nil {
		return s
	}
	if len(c.stands) >= maxInstances {
		name = []byte(other)
	}
	s := c.stands[string(name)]
	if s == nil {
		s = new(stand)
		c.stands[string(name)] = s
	}
	return s
}

// instances is on how many instances c has failed, as far as lines name them.
func (c *causeTally) instances() (n uint64) {
	if c.rolled != nil {
		return c.rolled.instances
	}
	for name, s := range c.stands {
		if name != "" && s.failed {
			n++
		}
	}
	return n
}

// over reports whether c has ended: on each instance, as an incident that many
// see goes on until the last of them has recovered.
func (c *causeTally) over() bool {
	if c.rolled != nil {
		return c.recoveries > 0 && c.rolled.open == 0
	}
	any := false
	for _, s := range c.stands {
		if s.failed && !s.over() {
			return false
		}
		any = any || s.over()
	}
	return any
}
