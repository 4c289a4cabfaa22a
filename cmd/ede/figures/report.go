// Package figures is what a report says, and how it is written: as text for a terminal, as
// JSON and as CSV.
package figures

import (
	"encoding/json"
	"io"
	"time"
)

// A Report is the summary of one or more logs; its JSON is what --json prints.
type Report struct {
	// Partial is true if some of what was asked for could not be read; Log.Problems
	// say what.
	Partial bool `json:"partial,omitempty"`
	// From and To are the times of the first and the last failure.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
	// Failures is the number of failed queries, Cached how many of them came
	// from cache.
	Failures uint64 `json:"failures"`
	Cached   uint64 `json:"cached_count"`
	// ByRCode, ByOwner and ByLasts share out all failures. Those in summaries
	// are taken to be like the failures of the same cause with lines of their own.
	ByRCode []Share `json:"by_rcode"`
	ByOwner []Share `json:"by_owner"`
	ByLasts []Share `json:"by_lasts"`
	// BySent tells, for failures with lines of their own, whether the client
	// was given the explanation; "dropped" are queries that a plugin dropped, which
	// are no failures and counted nowhere else.
	BySent    []Share   `json:"by_sent"`
	Actions   []Action  `json:"do_first"`
	Causes    []Cause   `json:"causes"`
	New       []New     `json:"new_in_last_hour"`
	Findings  []Finding `json:"diagnosed"`
	Zones     Top       `json:"zones"`
	Upstreams Top       `json:"upstreams"`
	Names     Top       `json:"names"`
	Clients   Top       `json:"clients"`
	// Namespaces and Pods are the clients in a Kubernetes cluster, where the lines name
	// them; a Pod as "namespace/pod".
	Namespaces Top `json:"client_namespaces"`
	Pods       Top `json:"client_pods"`
	Instances  Top `json:"instances"`
	// Known is how many instances have written any line, failures or not.
	Known    uint64    `json:"instances_known"`
	Timeline *Timeline `json:"timeline,omitempty"`
	Log      Log       `json:"log"`

	// Named are all names that stand out, the most frequent first: the text shows some of
	// each zone.
	Named []Item `json:"-"`
}

// A Share is one value's part of a whole.
type Share struct {
	Value string `json:"value"`
	Count uint64 `json:"count"`
}

// An Action is a piece of advice and what it would end.
type Action struct {
	Cause  string `json:"cause"`
	Title  string `json:"title,omitempty"`
	Advice string `json:"advice"`
	Owner  string `json:"owner"`
	State  string `json:"state"`
	Count  uint64 `json:"count"`
	// Instances is on how many it failed, 0 if the lines do not tell.
	Instances uint64   `json:"instances,omitempty"`
	Where     []string `json:"where,omitempty"`
	// Example is the INFO-CODE and text of most of the failures.
	Example string `json:"example,omitempty"`
	// Last is when it failed last.
	Last time.Time `json:"last,omitzero"`
}

// The states of a cause at the end of the log.
const (
	Failing   = "failing"   // in the last hour of the log
	Quiet     = "quiet"     // not in the last hour of the log, no recovery logged
	Recovered = "recovered" // a recovery was logged after the last failure
)

// A Cause is what is known of all failures of one cause.
type Cause struct {
	Cause      string    `json:"cause"`
	Title      string    `json:"title,omitempty"`
	Owner      string    `json:"owner"`
	Lasts      string    `json:"lasts"`
	State      string    `json:"state"`
	Count      uint64    `json:"count"`
	Cached     uint64    `json:"cached_count"`
	First      time.Time `json:"first,omitzero"`
	Last       time.Time `json:"last,omitzero"`
	Codes      []Share   `json:"ede,omitempty"`
	At         []Share   `json:"at,omitempty"`
	Upstreams  []Share   `json:"upstreams,omitempty"`
	Zones      []Share   `json:"zones,omitempty"`
	Instances  uint64    `json:"instances,omitempty"`
	Recoveries uint64    `json:"recoveries,omitempty"`
	Longest    float64   `json:"longest_seconds,omitempty"`
	Text       string    `json:"text,omitempty"`
	Timeline   []uint64  `json:"timeline,omitempty"`
}

// New is something that failed in the last hour of the log, and not before.
type New struct {
	What  string    `json:"what"` // cause, zone or upstream
	Key   string    `json:"key"`
	Since time.Time `json:"since"`
	Count uint64    `json:"count"`
}

// Unknown is an owner, or how long something lasts, of which nothing tells.
const Unknown = "unknown"

// The results of a diagnosis that did not find the cause: none was found, the
// one of the upstream stands and another was found, or the question was answered
// again.
const (
	Undecided = "undecided"
	Disagrees = "disagrees"
	Resolves  = "resolves"
)

// A Finding is what a diagnosis found.
type Finding struct {
	Cause string `json:"cause"`
	Zone  string `json:"zone"`
	// Result is empty if the cause was found out.
	Result string    `json:"result,omitempty"`
	Owner  string    `json:"owner,omitempty"`
	Text   string    `json:"text,omitempty"`
	Advice string    `json:"advice,omitempty"`
	Times  uint64    `json:"times"`
	Last   time.Time `json:"last,omitzero"`
}

// A Top is the most frequent of what may be any number of keys.
type Top struct {
	// Bound is how much a count may be too high; 0 means that all are exact.
	Bound uint64 `json:"bound"`
	// More is set if there are others than Items; those whose Count may be
	// for the greater part another key's are not among Items.
	More  bool   `json:"more"`
	Items []Item `json:"items"`
}

// An Item is one of the most frequent keys.
type Item struct {
	Key    string    `json:"key"`
	Zone   string    `json:"zone,omitempty"`
	Count  uint64    `json:"count"`
	Over   uint64    `json:"over,omitempty"` // of Count at most is not this key's
	Cached uint64    `json:"cached_count,omitempty"`
	Mostly string    `json:"mostly,omitempty"` // the cause of more than half
	First  time.Time `json:"first,omitzero"`
	Last   time.Time `json:"last,omitzero"`
}

// A Timeline counts failures in equal stretches of time.
type Timeline struct {
	Start        time.Time `json:"start"`
	WidthSeconds float64   `json:"width_seconds"`
	Counts       []uint64  `json:"counts"`
}

// Log tells what was read, and what could not be.
type Log struct {
	Lines     uint64            `json:"lines"`
	Ours      uint64            `json:"from_ede"`
	Malformed uint64            `json:"malformed"`
	Reasons   map[string]uint64 `json:"malformed_reasons,omitempty"`
	Notices   uint64            `json:"notices"`
	// Answers did not fail; their lines tell what an upstream said of them.
	Answers uint64 `json:"answers,omitempty"`
	// Singles are failures with a line of their own, Summed those in summaries.
	Singles uint64 `json:"singles"`
	Summed  uint64 `json:"summed"`
	// Unnamed are failures in summaries whose name is not told.
	Unnamed uint64 `json:"unnamed"`
	// Undated are failures without a time: not in the timeline.
	Undated uint64 `json:"undated"`
	Missed  uint64 `json:"findings_left_out,omitempty"`
	// Passed are diagnoses that found the question answered again.
	Passed   uint64   `json:"diagnosed_as_passed,omitempty"`
	Filtered Filtered `json:"filtered"`
	// Problems are files that could not be read, or not to their end.
	Problems []string `json:"problems,omitempty"`
}

// Filtered counts the failures a report leaves out, and those among them that
// the reader may have wanted, and why.
type Filtered struct {
	Failures uint64 `json:"failures,omitempty"`
	// Undated have no time where --since or --until was asked for.
	Undated uint64 `json:"undated,omitempty"`
	// Undecided are in summaries, which tell neither the client nor all names.
	Undecided uint64 `json:"undecided,omitempty"`
}

// WriteJSON writes the report as one JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}
