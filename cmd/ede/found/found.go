// Package found puts failures down to what diagnoses found of them. A diagnosis is of the
// failures of one upstream, seen by one process: it says nothing of those that went another
// way, whatever zone they are in.
package found

import "strings"

// The limits of what is held.
const (
	MaxWays  = 16384 // ways that failures went
	MaxZones = 65536 // zones, of all ways together
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
	counts   map[string]*count
	lastZone string
	last     *count
	// parts are zones whose names were taken from one above them.
	parts []string
}

// A count is how many failures there are, and how many of them are left.
type count struct{ all, left uint64 }

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
	z := &Zones{Way: Way{string(cause), string(instance), string(server), string(at), string(upstream)}, of: f, counts: make(map[string]*count)}
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
		z.last.add(n)
		return
	}
	of := z.counts[string(zone)]
	if of == nil {
		if z.of.zones >= MaxZones {
			return
		}
		z.of.zones++
		of = new(count)
		z.lastZone = string(zone)
		z.counts[z.lastZone] = of
	} else {
		z.lastZone = string(zone)
	}
	z.last = of
	of.add(n)
}

func (c *count) add(n uint64) {
	c.all += n
	c.left += n
}

// Clone returns failures of which can be taken, while f stays whole.
func (f *Failures) Clone() *Failures {
	c := &Failures{zones: f.zones}
	for _, z := range f.all {
		copied := &Zones{Way: z.Way, of: c, counts: make(map[string]*count, len(z.counts))}
		for zone, n := range z.counts {
			same := *n
			copied.counts[zone] = &same
		}
		c.all = append(c.all, copied)
	}
	return c
}

// Within says whether name is zone or below it. Both are in lower case, with the final dot.
func Within(name, zone string) bool {
	if zone == "." || name == zone {
		return true
	}
	return strings.HasSuffix(name, zone) && name[len(name)-len(zone)-1] == '.'
}
