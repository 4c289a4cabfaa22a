package incident

import (
	"sync"
	"time"

	"github.com/miekg/dns"
)

// Ended is an incident that is over, with its failures that no summary has reported yet.
type Ended struct {
	Incident
	// Untold is nil if every failure was reported.
	Untold *Summary
}

// Sweep ends the incidents that are over. It returns those whose names are known to resolve
// again, and of the others those with failures that were not reported yet.
func (t *Table) Sweep() (recovered, forgotten []Ended) {
	now := t.now()
	t.mu.Lock()
	fails, crowds := sync.OnceValue(t.failing), sync.OnceValue(t.crowds)
	for in := t.oldest; in != nil && now.Sub(in.Last) >= quietFor; {
		next := in.newer
		old := now.Sub(in.Last) >= forgottenAfter
		switch {
		case in.Recovered() && isOver(in, now, fails, crowds):
			recovered = append(recovered, t.end(in))
		case old && in.rest() && !crowds().mayHave(in):
			in.open.leave()
			recovered = append(recovered, t.end(in))
		case old:
			if ended := t.end(in); ended.Untold != nil {
				forgotten = append(forgotten, ended)
			}
		}
		in = next
	}
	empty := len(t.incidents) == 0
	t.mu.Unlock()
	if empty {
		t.questions.Expire(now)
	} else {
		t.questions.Age(now)
	}
	return recovered, forgotten
}

// isOver reports whether what is known to have recovered has done so for good. fails are the
// questions that fail, whatever for.
func isOver(in *incident, now time.Time, fails func() map[uint64]bool, crowds func() *crowds) bool {
	if !in.open.alike && (in.open.stray(fails()) || crowds().mayHave(in)) {
		return false
	}
	// What fails for other causes as well may have done so a moment ago.
	return !in.open.strayed || now.Sub(in.LastGood) >= quietFor
}

// crowds are the zones of incidents that have more questions than are followed. Each of these
// may have a question that another incident takes for answered.
type crowds struct{ servfail, refused zonesAround }

// zonesAround are zones, and those that have one of them below.
type zonesAround struct{ zones, above map[string]bool }

func newZonesAround() zonesAround {
	return zonesAround{make(map[string]bool), make(map[string]bool)}
}

func (t *Table) crowds() *crowds {
	c := &crowds{newZonesAround(), newZonesAround()}
	for in := t.newest; in != nil; in = in.older {
		if !in.open.mayHide() {
			continue
		}
		if in.open.servfail {
			c.servfail.add(in.Zone)
		}
		if in.open.refused {
			c.refused.add(in.Zone)
		}
	}
	return c
}

// mayHave reports whether questions of in may fail for another cause, unknown to failing: an
// incident of a zone around its own has more of them than are followed.
func (c *crowds) mayHave(in *incident) bool {
	return in.open.servfail && c.servfail.has(in.Zone) || in.open.refused && c.refused.has(in.Zone)
}

func (z zonesAround) add(zone string) {
	z.zones[zone] = true
	upwards(zone, func(above string) bool {
		z.above[above] = true
		return true
	})
}

// has reports whether zone is one of z, or above or below one.
func (z zonesAround) has(zone string) (does bool) {
	if len(z.zones) == 0 {
		return false
	}
	does = z.above[zone]
	upwards(zone, func(above string) bool {
		does = does || z.zones[above]
		return !does
	})
	return does
}

// upwards calls each with zone and with the zones above it, as long as it returns true.
func upwards(zone string, each func(zone string) bool) {
	for _, i := range dns.Split(zone) {
		if !each(zone[i:]) {
			return
		}
	}
	each(".")
}

// end takes the incident in out of the table.
func (t *Table) end(in *incident) Ended {
	in.Over = true
	ended := Ended{in.Incident, in.untold()}
	t.history.end(in.Incident)
	t.drop(in)
	return ended
}

// OtherZones is the zone of a summary of several incidents.
const OtherZones = "(others)"

// displace drops the incident in to make room for another one. What has not
// been told of it is left to the next summaries.
func (t *Table) displace(in *incident) {
	if untold := in.untold(); untold != nil {
		t.keepUntold(*untold)
	}
	t.drop(in)
}

// keepUntold adds s to what is told of displaced incidents. It is kept by cause,
// plugin and reason alone, which are few, as it is a flood of zones or upstreams that
// fills the table; the names of several incidents are counted one by one, and
// which of them failed most is not kept.
func (t *Table) keepUntold(s Summary) {
	s.ID = ID{Cause: s.Cause, At: s.At, Reason: s.Reason, Zone: OtherZones}
	kept := t.displaced[s.ID]
	if kept == nil {
		s.Top = nil
		t.displaced[s.ID] = &s
		return
	}
	kept.Window += s.Window
	kept.WindowCached += s.WindowCached
	kept.Names += s.Names
	if s.Last.After(kept.Last) {
		kept.Last = s.Last
	}
}
