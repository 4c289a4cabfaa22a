package report

import (
	"net/netip"
	"strings"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/sums"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/victorialogs"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
)

// A scope is a Filter in LogsQL, by kind of line, since a summary is wanted for
// its zone and a query for its name. An empty filter wants none.
type scope struct {
	// when is the time. A store leaves out at once what lies outside, but only if the time stands
	// before the alternatives of a filter and not in each of them.
	when string
	// all are ede's lines at that time, and instances any lines then.
	all, instances string
	// queries and summaries are the failures that are wanted.
	queries, summaries string
	// above are summaries of zones that hold names that are wanted next to others.
	above string
	// holding are those among them that name one that is wanted, and wanted is a query
	// for these names, with how many failures each had, and its share from cache.
	holding, wanted string
	// unclear are summaries that do not tell whether they are wanted.
	unclear              string
	recovered, diagnoses string
	// clients is a pipe that keeps the wanted clients, empty for all.
	clients string
	// found are hours whose sums stand for their lines, which none of the above asks for.
	found sums.Found
	// rest are scopes of further stretches of time.
	rest []scope
}

// scopeOf is the scope of a filter. The hours whose sums were found are asked for these
// alone, which tell nothing of a filter but the time.
func scopeOf(f *Filter, found sums.Found) scope {
	whens := found.Rest(f.Since, f.Until)
	s := scopeAt(f, whens[0])
	s.found = found
	for _, when := range whens[1:] {
		s.rest = append(s.rest, scopeAt(f, when))
	}
	return s
}

// scopeAt is the scope of a filter at a time.
func scopeAt(f *Filter, when string) scope {
	s := scope{when: when, all: victorialogs.All(sums.Ours, when), instances: victorialogs.All(sums.Named, when)}
	wanted := s.all
	if len(f.Causes) > 0 {
		wanted = victorialogs.All(s.all, victorialogs.In("cause", f.Causes))
	}
	names, zones := "", ""
	if len(f.Zones) > 0 {
		names, zones = below("qname", f.Zones), below("zone", f.Zones)
	}
	s.queries = victorialogs.All(wanted, sums.IsQuery, names)
	if len(f.Clients) > 0 {
		s.clients, s.unclear = clientPipe(f.Clients), victorialogs.All(wanted, sums.IsSummary)
		return s
	}
	s.summaries = victorialogs.All(wanted, sums.IsSummary, zones)
	s.recovered = victorialogs.All(wanted, sums.IsRecovery, zones)
	s.diagnoses = victorialogs.All(wanted, sums.IsDiagnosis)
	if len(f.Zones) > 0 {
		s.diagnoses = victorialogs.All(s.diagnoses, victorialogs.Any(names, victorialogs.All(`qname:=""`, zones)))
		s.above = victorialogs.All(wanted, sums.IsSummary, "!"+zones, victorialogs.In("zone", above(f.Zones)))
		s.holding = victorialogs.All(s.above, "top:~"+victorialogs.Quote(inTop(f.Zones)))
		s.wanted = s.above + sums.TopNames + " | filter " + below("key", f.Zones) + " | math floor(cached_count * told / count) as share"
	}
	return s
}

// of is a query for the lines of a kind, empty if none are wanted.
func (s *scope) of(kind sums.Kind) string {
	switch kind {
	case sums.Lines:
		return s.all
	case sums.Instances:
		return s.any(s.instances, s.all)
	case sums.Queries:
		return s.queries + s.clients
	case sums.Summaries:
		return s.summaries
	case sums.Failures:
		return s.any(s.queries, s.summaries) + s.clients
	case sums.Stands:
		return s.any(s.recovered, s.holding, s.queries, s.summaries) + s.clients
	case sums.Recoveries:
		return s.recovered
	default:
		return s.diagnoses
	}
}

// any is a query for the lines that one of the filters holds for.
func (s *scope) any(filters ...string) string {
	return victorialogs.All(s.when, victorialogs.Any(filters...))
}

// sum is a query for a table, of lines and of the sums that were found, and pipes after it.
func (s *scope) sum(t sums.Table, pipes string) string {
	lines := s.each(func(part *scope) string { return on(part.of(t.Of), t.Make) })
	return on(s.found.Union(lines, t, "", t.Again), pipes)
}

// each puts the rows of a query for each stretch of time together.
func (s *scope) each(query func(part *scope) string) string {
	all := query(s)
	for i := range s.rest {
		if more := query(&s.rest[i]); more != "" {
			all += " | union (" + more + ")"
		}
	}
	return all
}

func below(field string, zones []string) string {
	filters := make([]string, len(zones))
	for i, zone := range zones {
		filters[i] = victorialogs.Below(field, zone)
	}
	return victorialogs.Any(filters...)
}

// inTop finds one of the zones, or a name below one, among the names of a summary.
func inTop(zones []string) string {
	return `(?i)(^|[ .])(` + anyOf(zones) + "):"
}

// above lists what summaries may call a zone that holds one of zones: a parent,
// or many put together.
func above(zones []string) []string {
	parents := []string{incident.OtherZones, "", "."}
	for _, zone := range zones {
		for {
			_, parent, ok := strings.Cut(zone, ".")
			if !ok || parent == "" {
				break
			}
			parents, zone = append(parents, parent), parent
		}
	}
	return parents
}

// clientPipe keeps the lines whose client, an address or the prefix that is logged
// in its place, begins in one of the networks.
func clientPipe(networks []netip.Prefix) string {
	filters := make([]string, len(networks))
	for i, n := range networks {
		kind := "ipv6_range"
		if n.Addr().Is4() {
			kind = "ipv4_range"
		}
		filters[i] = "network:" + kind + "(" + victorialogs.Quote(n.String()) + ")"
	}
	return ` | copy client_ip as network | replace_regexp ("/[0-9]+$", "") at network | filter ` + victorialogs.Any(filters...)
}
