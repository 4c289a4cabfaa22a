// Package sums says in LogsQL how lines of ede are summed up in a store, and keeps the sums
// of whole hours in the store next to the lines, so that a report does not read them again:
// https://docs.victoriametrics.com/victorialogs/logsql/
package sums

import "github.com/seed-1b7246af/coredns-ede/cmd/ede/victorialogs"

// Ours are the lines of ede, and Named those of any plugin whose stream bears an instance.
const (
	Ours  = `plugin:="ede"`
	Named = `{instance!=""}`
)

// Which kind a line is of shows by keys that only that kind has: what a collector makes
// of the message differs.
const (
	IsQuery     = "(rcode:* qname:*)"
	IsSummary   = "(window_seconds:* count:* cause:*)"
	IsDrops     = `(window_seconds:* count:* sent:="dropped")`
	IsRecovery  = "after_seconds:*"
	IsDiagnosis = "queries:*"
	IsAnswer    = "(ede:* qname:* !rcode:* !cause:* !result:* !sent:*)"
)

// A Kind is which lines a table is made of.
type Kind uint8

// The kinds of lines.
const (
	Lines      Kind = iota // all of ede's
	Instances              // those of any plugin that bear an instance
	Queries                // failures with a line of their own
	Summaries              // failures told by the number
	Failures               // both
	Stands                 // failures and recoveries
	Recoveries             //
	Diagnoses              //
)

// of is a query for the lines of a kind at a time.
func of(kind Kind, when string) string {
	switch kind {
	case Lines:
		return victorialogs.All(Ours, when)
	case Instances:
		return victorialogs.All(victorialogs.Any(Named, Ours), when)
	case Queries:
		return victorialogs.All(Ours, when, IsQuery)
	case Summaries:
		return victorialogs.All(Ours, when, IsSummary)
	case Failures:
		return victorialogs.All(Ours, when, victorialogs.Any(IsQuery, IsSummary))
	case Stands:
		return victorialogs.All(Ours, when, victorialogs.Any(IsQuery, IsSummary, IsRecovery))
	case Recoveries:
		return victorialogs.All(Ours, when, IsRecovery)
	default:
		return victorialogs.All(Ours, when, IsDiagnosis)
	}
}

// Count sums up failures, with lines of their own and in summaries: a line with a count
// stands for so many, one without for one.
const Count = ` count() as lines, count(count) as told, sum(count) as summed, count() if (cached:="true") as hits, sum(cached_count) as sums,` +
	` min(_time) as first, max(_time) as last` +
	` | math lines - told + (summed default 0) as n, hits + (sums default 0) as cached`

// Each counts lines that are one failure each.
const Each = ` count() as n, count() if (cached:="true") as cached, min(_time) as first, max(_time) as last`

// TopNames takes apart the names in summaries, "www.example.org.:180 ...".
const TopNames = ` top:* | split " " from top as pair | unroll (pair) | extract_regexp "^(?P<key>.+):(?P<told>[0-9]+)$" from pair`
