package found

import (
	"cmp"
	"slices"
)

// A Taken is so many failures that a diagnosis explains.
type Taken struct {
	Way
	Zone  string
	Count uint64
}

// Take takes the failures in a zone and below it that diagnoses of these ways explain, and
// returns them: each is taken once. A way that a diagnosis does not tell in full, as in the
// log of an older version, explains nothing where several ways would do. Refinable
// tells the causes of failures that may be taken. Of failures that are counted under a zone
// above this one, below returns how many with a cause had names in this one.
func (f *Failures) Take(ways []Way, zone string, refinable func(cause string) bool, below func(cause, zone string) uint64) (all []Taken) {
	c := f.candidates(zone, refinable)
	names := make(map[string]uint64) // by cause, those that are counted in no zone but one above
	for i := range ways {
		w := &ways[i]
		for _, z := range c.alike(w) {
			if w.Cause != "" && z.Cause != w.Cause || !z.same(w) && ambiguous(w, &z.Way, c.all) {
				continue
			}
			all = append(all, z.take(zone, func(above string) uint64 {
				for _, other := range f.all {
					if other != z && other.Cause == z.Cause && other.counts[above] != nil {
						return 0 // the names do not tell which way they went
					}
				}
				n, known := names[z.Cause]
				if !known {
					n = below(z.Cause, zone)
					n -= min(n, c.within(z.Cause, zone))
					names[z.Cause] = n
				}
				return n
			})...)
		}
	}
	return all
}

// candidates are the failures that diagnoses in one zone may explain. There may be
// thousands of ways on both sides: those that are told in full are found by what they are.
type candidates struct {
	all, vague []*Zones
	full       map[Way][]*Zones
}

func (f *Failures) candidates(zone string, refinable func(cause string) bool) candidates {
	c := candidates{full: make(map[Way][]*Zones)}
	for _, z := range f.all {
		if !z.touches(zone) || !refinable(z.Cause) {
			continue
		}
		c.all = append(c.all, z)
		if key, full := z.key(); full {
			c.full[key] = append(c.full[key], z)
		} else {
			c.vague = append(c.vague, z)
		}
	}
	return c
}

// within is how many failures with a cause are counted in the zone and below it, and so
// are none of those that are counted above.
func (c *candidates) within(cause, zone string) (n uint64) {
	for _, z := range c.all {
		for at, count := range z.counts {
			if z.Cause == cause && Within(at, zone) {
				n += count.all
			}
		}
	}
	return n
}

// alike are those whose way may be the same as w, but for the cause.
func (c *candidates) alike(w *Way) (all []*Zones) {
	some := c.all
	if key, full := w.key(); full {
		all, some = slices.Clone(c.full[key]), c.vague
	}
	for _, z := range some {
		if z.alike(w) {
			all = append(all, z)
		}
	}
	return all
}

// key is what two ways have in common that are alike, if each is told in full.
func (w *Way) key() (key Way, full bool) {
	key = Way{Instance: cmp.Or(w.Instance, w.Server), At: w.At, Upstream: w.Upstream}
	return key, key.Instance != "" && key.At != "" && key.Upstream != ""
}

// alike reports whether two ways may be the same but for the cause, as far as they are told.
func (w *Way) alike(other *Way) bool {
	same := func(a, b string) bool { return a == "" || b == "" || a == b }
	return same(cmp.Or(w.Instance, w.Server), cmp.Or(other.Instance, other.Server)) && same(w.At, other.At) && same(w.Upstream, other.Upstream)
}

// same reports whether two ways are told alike, but for the cause.
func (w *Way) same(other *Way) bool {
	return w.Instance == other.Instance && w.Server == other.Server && w.At == other.At && w.Upstream == other.Upstream
}

// ambiguous reports whether a may be another way than b, or b than a, by what went here.
func ambiguous(a, b *Way, here []*Zones) bool {
	for _, z := range here {
		if z.alike(a) != z.alike(b) {
			return true
		}
	}
	return false
}

// touches reports whether there are failures in the zone, below it, or in one above it.
func (z *Zones) touches(zone string) bool {
	for at := range z.counts {
		if Within(at, zone) || Within(zone, at) {
			return true
		}
	}
	return false
}

func (z *Zones) take(zone string, below func(above string) uint64) (all []Taken) {
	for at, n := range z.counts {
		took := n.left
		switch {
		case Within(at, zone):
		case Within(zone, at):
			if z.parted(zone) {
				continue
			}
			took = min(took, below(at))
			z.parts = append(z.parts, zone)
		default:
			continue
		}
		if took > 0 {
			n.left -= took
			all = append(all, Taken{z.Way, at, took})
		}
	}
	return all
}

// parted reports whether names in the zone were taken from one above it before.
func (z *Zones) parted(zone string) bool {
	return slices.ContainsFunc(z.parts, func(part string) bool { return Within(part, zone) || Within(zone, part) })
}
