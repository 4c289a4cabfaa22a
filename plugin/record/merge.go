package record

import "github.com/seed-1b7246af/coredns-ede/plugin/incident"

// merge returns all if there are at most most of them. Otherwise it keeps as
// many of the first as it can, and puts the rest together by all of their ID but
// the zone, or, if those are too many, by the cause and its reason alone: none
// is ever lost, so there can be more than most if there are more of them.
func merge[T any](all []T, most int, id func(*T) *incident.ID, add func(sum, one *T)) []T {
	if len(all) <= most {
		return all
	}
	upstream := func(id incident.ID) incident.ID {
		id.Zone = incident.OtherZones
		return id
	}
	for keep := most - 1; keep >= 0; keep-- {
		if rest := together(all[keep:], upstream, id, add); keep+len(rest) <= most {
			return append(all[:keep:keep], rest...)
		}
	}
	alone := func(id incident.ID) incident.ID {
		return incident.ID{Cause: id.Cause, Reason: id.Reason, Zone: incident.OtherZones}
	}
	return together(all, alone, id, add)
}

// together adds up those of all that have the same key, in the order of the
// first of each.
func together[T any](all []T, key func(incident.ID) incident.ID, id func(*T) *incident.ID, add func(sum, one *T)) []T {
	var sums []T
	places := make(map[incident.ID]int)
	for i := range all {
		k := key(*id(&all[i]))
		place, ok := places[k]
		if ok {
			add(&sums[place], &all[i])
			continue
		}
		places[k] = len(sums)
		one := all[i]
		*id(&one) = k
		sums = append(sums, one)
	}
	return sums
}

func summaryID(s *incident.Summary) *incident.ID { return &s.ID }

func addSummary(sum, s *incident.Summary) {
	sum.Window += s.Window
	sum.WindowCached += s.WindowCached
	sum.Names += s.Names
}

func endedID(in *incident.Ended) *incident.ID { return &in.ID }

// addEnded makes sum last from the first beginning to the last failure.
func addEnded(sum, in *incident.Ended) {
	sum.Count += in.Count
	sum.Cached += in.Cached
	if in.First.Before(sum.First) {
		sum.First = in.First
	}
	if in.Last.After(sum.Last) {
		sum.Last = in.Last
	}
}
