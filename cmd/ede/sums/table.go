package sums

import "fmt"

// A Table is one of the sums that a report is made of.
type Table struct {
	Name string
	// Of are the lines that it is made of, and Make the pipes that make rows of them.
	Of   Kind
	Make string
	// Also are pipes for summaries, whose rows are added to those of Make.
	Also string
	// Again sums up rows of several hours.
	Again string
	// Parted says that the rows are in parts by their key, a zone or a name, and parts are those
	// that are asked for, nil for all.
	Parted bool
	parts  []string
}

const (
	spans   = " sum(n) as n, sum(cached) as cached, min(first) as first, max(last) as last"
	columns = " | fields key, cause, n, cached, first, last"
	// PerCause sums up rows of one key and cause.
	PerCause = " | stats by (key, cause)" + spans
)

// keyed is a table of the failures by a field and their cause.
func keyed(name, field string) Table {
	return Table{Name: name, Of: Failures, Again: PerCause,
		Make: " " + field + ":* | stats by (" + field + ", cause)" + Count + " | rename " + field + " as key" + columns}
}

// alike are the fields in which failures with a line of their own are put together.
const alike = "cause, rcode, owner, lasts, ede, at, upstream, cached, sent"

// The tables whose rows a report sums up as they are.
var (
	Total = Table{Name: "total", Of: Lines,
		Make: " | stats count() as lines, count() if (" + IsQuery + ") as singles, count() if " + IsSummary + " as summaries," +
			" count() if (" + IsRecovery + ") as recoveries, count() if (" + IsDiagnosis + ") as diagnoses, count() if " + IsAnswer + " as answers," +
			" sum(count) if " + IsSummary + " as summed, count() if " + IsDrops + " as drops, sum(count) if " + IsDrops + " as dropped",
		Again: " | stats sum(lines) as lines, sum(singles) as singles, sum(summaries) as summaries," +
			" sum(recoveries) as recoveries, sum(diagnoses) as diagnoses, sum(answers) as answers, sum(summed) as summed, sum(drops) as drops, sum(dropped) as dropped"}
	Seen  = Table{Name: "seen", Of: Instances, Make: " | stats by (instance) count() as n | rename instance as key", Again: " | stats by (key) sum(n) as n"}
	Cause = Table{Name: "cause", Of: Queries,
		Make: " | stats by (" + alike + ") count() as n, min(_time) as first, max(_time) as last, row_min(_time, _time, text) as said," +
			" max(_time) if (advice:*) as told, row_max(_time, advice) if (advice:*) as advised",
		Again: " | stats by (" + alike + ") sum(n) as n, min(first) as first, max(last) as last, row_min(first, said) as said," +
			" row_max(told, advised) if (advised:*) as advised | unpack_json from said fields (said) | unpack_json from advised fields (advised)"}
	Summary = Table{Name: "summary", Of: Summaries,
		Make:  " | stats by (cause, rcode, ede, at, upstream) sum(count) as n, sum(cached_count) as cached, min(_time) as first, max(_time) as last, max(window_seconds) as window",
		Again: " | stats by (cause, rcode, ede, at, upstream)" + spans + ", max(window) as window"}
	Told     = Table{Name: "told", Of: Summaries, Make: TopNames + " | stats sum(told) as n", Again: " | stats sum(n) as n"}
	Zone     = keyed("zone", "zone")
	Instance = keyed("instance", "instance")
	Space    = Table{Name: "namespace", Of: Queries, Make: " client_namespace:* | stats by (client_namespace, cause)" + Each + " | rename client_namespace as key", Again: PerCause}
	Pod      = Table{Name: "pod", Of: Queries, Make: ` client_namespace:* | stats by (client_namespace, client_pod, cause)` + Each +
		` | format "<client_namespace>/<client_pod>" as key` + columns, Again: PerCause}
	Recovery = Table{Name: "recovery", Of: Recoveries, Make: " | stats by (cause) count() as n, max(after_seconds) as longest",
		Again: " | stats by (cause) sum(n) as n, max(longest) as longest"}
	Stand = Table{Name: "stand", Of: Stands, Make: " | stats by (cause, instance) max(_time) if (" + IsQuery + " or " + IsSummary + ") as last, max(_time) if (" + IsRecovery + ") as over" +
		" | rename instance as key", Again: " | stats by (cause, key) max(last) as last, max(over) as over"}
)

// Names and clients are too many for a row for each of their causes: these are in a list.
const (
	pack = ` | format "<n> <cached> <cause>" as part | stats by (key)` + spans + ", values(part) as causes"
	// Unpack makes a row for each cause again.
	Unpack = ` | unroll (causes) | extract "<n> <cached> <cause>" from causes` + columns
)

// The tables that are kept otherwise than a report asks for them.
var (
	Name = Table{Name: "name", Parted: true, Of: Queries, Make: ` qname:* | stats by (qname, cause)` + Each + ` | format "<lc:qname>" as key | union (`,
		Also: TopNames + " | stats by (key, cause) sum(told) as n, min(_time) as first, max(_time) as last)" + PerCause + pack}
	Client = Table{Name: "client", Of: Queries, Make: " client_ip:* | stats by (client_ip, cause)" + Each + " | rename client_ip as key" + pack}
	// Times and Windows are failures by time, in lines of their own and in summaries.
	Times   = Table{Name: "times", Of: Queries, Make: ByTime(Width)}
	Windows = Table{Name: "windows", Of: Summaries, Make: WindowsByTime(Width, "count")}
)

// Kept are the tables of an hour.
var kept = []Table{Total, Seen, Cause, Summary, Told, Zone, Instance, Space, Pod, Recovery, Stand, Diagnosis, Name, Client, Way, Times, Windows}

// Width is how wide the stretches of time are that failures of an hour are kept by, in
// seconds: a power of two, as with timelines.
const Width = 64

// ByTime counts lines by stretches of time that are so many seconds wide.
func ByTime(width int) string {
	return fmt.Sprintf(" | stats by (_time:%ds, cause) count() as lines", width)
}

// WindowsByTime sums up a field of summaries by stretches of time, with how much of it is of
// windows that have begun in the stretch before.
func WindowsByTime(width int, field string) string {
	return fmt.Sprintf(" | math _time %% %d as into, window_seconds * 1000000000 as covers | stats by (_time:%ds, cause) sum(%s) as summed,"+
		" sum(%s) if (into:lt_field(covers)) as begun, min(_time) as first, max(_time) as last, max(window_seconds) as window", width*1e9, width, field, field)
}

// TimesAgain and WindowsAgain make wider stretches of those that are kept.
func TimesAgain(width int) string {
	return fmt.Sprintf(" | stats by (_time:%ds, cause) sum(lines) as lines", width)
}

// WindowsAgain is the counterpart for summaries.
func WindowsAgain(width int) string {
	return fmt.Sprintf(" | math _time %% %d as into, window * 1000000000 as covers | stats by (_time:%ds, cause) sum(summed) as summed,"+
		" sum(begun) if (into:=0) as early, sum(summed) if (!into:=0 into:lt_field(covers)) as later, min(first) as first, max(last) as last, max(window) as window"+
		" | math (early default 0) + (later default 0) as begun", width*1e9, width)
}
