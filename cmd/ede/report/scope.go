package report

import (
	"net/netip"
	"strings"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/victorialogs"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
)

// Which kind a line is of shows by keys that only that kind has: what a
// collector makes of the message differs.
const (
	isQuery     = "rcode:*"
	isSummary   = "(window_seconds:* count:*)"
	isRecovery  = "after_seconds:*"
	isDiagnosis = "queries:*"
	isAnswer    = "(ede:* qname:* !rcode:* !cause:* !result:* !sent:*)"
)

// A scope is a Filter in LogsQL, by kind of line, since a summary is wanted for
// its zone and a query for its name. An empty filter wants none.
type scope struct {
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
}

func scopeOf(f *Filter) scope {
	when := victorialogs.Between(f.Since, f.Until)
	s := scope{all: victorialogs.All(`plugin:="ede"`, when), instances: victorialogs.All(`{instance!=""}`, when)}
	wanted := s.all
	if len(f.Causes) > 0 {
		wanted = victorialogs.All(s.all, victorialogs.In("cause", f.Causes))
	}
	names, zones := "", ""
	if len(f.Zones) > 0 {
		names, zones = below("qname", f.Zones), below("zone", f.Zones)
	}
	s.queries = victorialogs.All(wanted, isQuery, names)
	if len(f.Clients) > 0 {
		s.clients, s.unclear = clientPipe(f.Clients), victorialogs.All(wanted, isSummary)
		return s
	}
	s.summaries = victorialogs.All(wanted, isSummary, zones)
	s.recovered = victorialogs.All(wanted, isRecovery, zones)
	s.diagnoses = victorialogs.All(wanted, isDiagnosis)
	if len(f.Zones) > 0 {
		s.diagnoses = victorialogs.All(s.diagnoses, victorialogs.Any(names, victorialogs.All(`qname:=""`, zones)))
		s.above = victorialogs.All(wanted, isSummary, "!"+zones, victorialogs.In("zone", above(f.Zones)))
		s.holding = victorialogs.All(s.above, "top:~"+victorialogs.Quote(inTop(f.Zones)))
		s.wanted = s.above + topNames + " | filter " + below("key", f.Zones) + " | math floor(cached_count * told / count) as share"
	}
	return s
}

// failures is a query for the lines that failures are counted by, and others.
func (s *scope) failures(pipes string, others ...string) string {
	return victorialogs.Any(append(others, s.queries, s.summaries)...) + s.clients + pipes
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
