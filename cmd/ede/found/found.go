// Package found puts failures down to what diagnoses found of them. A diagnosis is of the
// failures of one upstream, seen by one process: it says nothing of those that went another
// way, whatever zone they are in.
package found

import (
	"cmp"
	"slices"
	"strings"
)

// The limits of what is held.
const (
	MaxWays  = 4096  // ways that failures went
	MaxZones = 16384 // zones, of all ways together
)

// A Way is how failures went.
type Way struct {
	// Cause is the one that the failures have without a diagnosis.
	Cause string
	// Instance is the process that saw them fail, and Server its listener, where no process is
	// told. At is the plugin that failed, and Upstream whom it asked. Empty is what the lines
	// do not tell.
	Instance, Server, At, Upstream string
}

// Failures counts failures by way and zone. What is beyond its limits is not counted, so
// that no diagnosis takes it.
type Failures struct {
	ways  map[string]*Zones
	all   []*Zones
	zones int
	key   []byte
}

// Zones are the failures that went one way.
type Zones struct {
	Way
	of       *Failures
	counts   map[string]*uint64
	lastZone string
	last     *uint64
	// parts are zones whose names were taken from one above them.
	parts []string
}

// Way returns where the failures of a way are counted, nil if there are too many ways.
func (f *Failures) Way(cause, instance, server, at, upstream []byte) *Zones {
	if len(instance) > 0 {
		server = nil
	}
	f.key = f.key[:0]
	for _, part := range [...][]byte{cause, instance, server, at, upstream} {
		// No value has such an octet.
		f.key = append(append(f.key, part...), 0)
	}
	if z := f.ways[string(f.key)]; z != nil {
		return z
	}
	if len(f.all) >= MaxWays {
		return nil
	}
	z := &Zones{Way: Way{string(cause), string(instance), string(server), string(at), string(upstream)}, of: f, counts: make(map[string]*uint64)}
	if f.ways == nil {
		f.ways = make(map[string]*Zones)
	}
	f.ways[string(f.key)] = z
	f.all = append(f.all, z)
	return z
}

// Add counts n failures in a zone. To nil it adds nothing.
func (z *Zones) Add(zone []byte, n uint64) {
	switch {
	case z == nil || len(zone) == 0 || zone[0] == '(': // many zones put together
		return
	case z.last != nil && z.lastZone == string(zone):
		*z.last += n
		return
	}
	count := z.counts[string(zone)]
	if count == nil {
		if z.of.zones >= MaxZones {
			return
		}
		z.of.zones++
		count = new(uint64)
		z.lastZone = string(zone)
		z.counts[z.lastZone] = count
	} else {
		z.lastZone = string(zone)
	}
	z.last = count
	*count += n
}

// Clone returns failures of which can be taken, while f stays whole.
func (f *Failures) Clone() *Failures {
	c := &Failures{zones: f.zones}
	for _, z := range f.all {
		copied := &Zones{Way: z.Way, of: c, counts: make(map[string]*uint64, len(z.counts))}
		for zone, n := range z.counts {
			count := *n
			copied.counts[zone] = &count
		}
		c.all = append(c.all, copied)
	}
	return c
}

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
func (f *Failures) Take(ways []Way, zone string, refinable func(cause string) bool, below func(cause, zone string) uint64) []Taken {
	var all []Taken
	for _, w := range ways {
		all = append(all, f.take(w, zone, refinable, below)...)
	}
	return all
}

func (f *Failures) take(w Way, zone string, refinable func(string) bool, below func(string, string) uint64) (all []Taken) {
	var here []*Zones
	for _, z := range f.all {
		if refinable(z.Cause) && z.touches(zone) {
			here = append(here, z)
		}
	}
	for _, z := range here {
		if w.Cause != "" && z.Cause != w.Cause || !z.alike(&w) || !z.same(&w) && ambiguous(&w, &z.Way, here) {
			continue
		}
		all = append(all, z.take(zone, func(above string) uint64 {
			for _, other := range f.all {
				if other != z && other.Cause == z.Cause && other.counts[above] != nil {
					return 0 // the names do not tell which way they went
				}
			}
			return below(z.Cause, zone)
		})...)
	}
	return all
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
		took := *n
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
			*n -= took
			all = append(all, Taken{z.Way, at, took})
		}
	}
	return all
}

// parted reports whether names in the zone were taken from one above it before.
func (z *Zones) parted(zone string) bool {
	return slices.ContainsFunc(z.parts, func(part string) bool { return Within(part, zone) || Within(zone, part) })
}

// Within says whether name is zone or below it. Both are in lower case, with the final dot.
func Within(name, zone string) bool {
	if zone == "." || name == zone {
		return true
	}
	return strings.HasSuffix(name, zone) && name[len(name)-len(zone)-1] == '.'
}
