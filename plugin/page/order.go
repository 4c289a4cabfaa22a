package page

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
)

// urgent returns the open incidents, those that are broken apart from refusals by
// policy. In each, those that go on now come before those that are quiet, and the one
// with the most failures first.
func urgent(s *incident.Snapshot) (broken, refused []incident.Incident) {
	for _, in := range s.Open {
		if byPolicy(in.Cause) {
			refused = append(refused, in)
		} else {
			broken = append(broken, in)
		}
	}
	for _, open := range [][]incident.Incident{broken, refused} {
		slices.SortStableFunc(open, func(a, b incident.Incident) int {
			if a, b := active(s, a), active(s, b); a != b {
				if a {
					return -1
				}
				return 1
			}
			return cmp.Compare(b.Count, a.Count)
		})
	}
	return broken, refused
}

// byPolicy reports whether the cause is a refusal that this server's configuration asks
// for: nothing is broken.
func byPolicy(id string) bool {
	c := cause.ByID(id)
	return c != nil && c.Policy
}

// active reports whether the incident goes on now. One whose names fail for another cause
// goes on there.
func active(s *incident.Snapshot, in incident.Incident) bool {
	return !in.Over && !in.Moved() && s.Now.Sub(in.Last) < activeFor
}

// stateOf sums the page up in one word, for the colour, and one sentence.
func stateOf(s *incident.Snapshot, lastHour uint64) (state, headline string) {
	broken, refused := urgent(s)
	failing, refusing := 0, 0
	for _, in := range broken {
		if active(s, in) {
			failing++
		}
	}
	for _, in := range refused {
		if active(s, in) {
			refusing++
		}
	}
	switch {
	case failing == 1:
		return "failing", "1 incident is active"
	case failing > 1:
		return "failing", strconv.Itoa(failing) + " incidents are active"
	case len(broken) > 0:
		last := slices.MaxFunc(broken, func(a, b incident.Incident) int { return a.Last.Compare(b.Last) }).Last
		return "quiet", "Nothing has failed for " + span(s.Now.Sub(last))
	case refusing > 0:
		return "calm", "Nothing is broken: queries are refused by policy"
	case lastHour > 0:
		return "calm", "All incidents are over"
	}
	return "calm", "Nothing has failed"
}
