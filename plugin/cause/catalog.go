// Package cause holds the fixed catalog of the causes of SERVFAIL and REFUSED,
// and the pure function from evidence to verdict. Codes, texts, documents and metrics
// all read this one table, so that none can contradict another.
package cause

import (
	"slices"
	"strings"
)

// Cause is one entry of the catalog.
type Cause struct {
	// ID is the name in logs, metrics and metadata, for example "upstream_timeout".
	ID string
	// Code is the RFC 8914 INFO-CODE of the first option. If the codes of the
	// cause come from elsewhere (the upstream, a template), Code is the fallback.
	Code uint16
	// CodeNote says in words which codes the answer carries, where Code alone
	// does not.
	CodeNote string
	// Lasts says whether the failure can pass by itself for the same client.
	Lasts Lasts
	// Owner is who can fix it.
	Owner Owner
	// Rank orders what is known of one failure: a statement of a higher rank
	// replaces one of a lower rank and is never replaced by it.
	Rank Rank
	// Policy marks a refusal by this server's own policy. Over UDP it carries
	// codes without text, so that small answers stay small.
	Policy bool

	// Title says what happened, When says when it happens, Advice what to do.
	Title, When, Advice string
	// Corefile is part of a server block that fixes the failure, Command shows
	// more of it, with words in capitals to be replaced. Exactly one of the two is set.
	Corefile, Command string

	// Brief and Full are the EXTRA-TEXT: Brief without addresses, plugin names
	// or errors of this server. Placeholders in braces are filled from the
	// evidence, see expand.
	Brief, Full string
}

// OfAllNames reports whether the cause holds for every name that goes the same way, so that
// one good answer shows that it is over: an upstream or a backend that gives no answer, a
// zone without data, a clock. Of other causes an answer shows nothing but that its own name
// resolves.
func (c *Cause) OfAllNames() bool {
	switch c {
	case concurrencyLimit, backendNotReady, backendUnreachable, remoteUnreachable, zoneExpired, zoneNotLoaded,
		upstreamLinkLocal, clockBehind:
		return true
	}
	return slices.Contains(exchangeCauses, c) || c.ID == "upstream_resolves_nothing" || c.ID == "clock_wrong"
}

// Lasts says how long a failure lasts by its nature.
type Lasts string

const (
	Transient  Lasts = "transient"
	Persistent Lasts = "persistent"
	LastsOpen  Lasts = "unknown"
)

// Owner is who can fix a failure.
type Owner string

const (
	Us       Owner = "us"
	Upstream Owner = "upstream"
	Zone     Owner = "zone"
	Client   Owner = "client"
	Network  Owner = "network"
	Nobody   Owner = "unknown"
)

// Rank is how specific a cause is.
type Rank uint8

const (
	// Unexplained: nothing is known but that it failed.
	Unexplained Rank = iota
	// Generic: who failed is known, why is not.
	Generic
	// Specific: what failed is known.
	Specific
	// Found: found out by diagnosis or said by an upstream that looked.
	Found
)

// ByID returns the cause with that ID, or nil.
func ByID(id string) *Cause { return byID[id] }

// All returns the catalog in the order of its groups.
func All() []*Cause {
	var all []*Cause
	for _, g := range Groups {
		all = append(all, g.Causes...)
	}
	return all
}

// Advices returns every advice that a verdict of c can have: with and without diagnose in
// the block, and for each code of an upstream's reason.
func (c *Cause) Advices() []string {
	all := []string{strings.TrimSpace(c.Advice)}
	if c == upstreamEDE {
		all = append(all, refusedNotReady.advice)
		for _, t := range traits {
			all = append(all, t.advice)
		}
	}
	for _, advice := range slices.Clone(all) {
		all = append(all, (&Verdict{Advice: advice}).InDiagnosis().Advice)
	}
	return all
}

// Group is a chapter of the catalog.
type Group struct {
	Title  string
	Causes []*Cause
}

var byID = func() map[string]*Cause {
	m := make(map[string]*Cause)
	for _, c := range All() {
		m[c.ID] = c
	}
	return m
}()

// Groups is the catalog. A cause is added by one entry in its group, one rule in
// rules.go, and one golden.
var Groups = []Group{
	{"Upstream: nothing usable came back", exchangeCauses},
	{"Upstream: nothing came back, by this server's own doing", nearbyCauses},
	{"Upstream: it answered with the failure", answerCauses},
	{"This server: zones and backends", zoneCauses},
	{"This server: policy", policyCauses},
	{"This server: configuration and faults", faultCauses},
	{"The path, found by diagnosis", pathCauses},
	{"The upstream and what is behind it, found by diagnosis", suspectCauses},
	{"DNSSEC, found by diagnosis", dnssecCauses},
	{"Delegation, found by diagnosis", delegationCauses},
	{"Resolver or zone, found by asking others", compareCauses},
}
