package incident

import (
	"hash/maphash"
	"slices"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/memory"
)

// maxIncidents is how many incidents are held; the one whose last failure is
// the oldest makes room for a new one.
const maxIncidents = 512

// quietFor is how long an incident has to be without a failure before it is
// over, if its names are known to resolve again; forgottenAfter is the same
// without that knowledge, as for refusals, which nobody asks again.
const (
	quietFor       = 10 * time.Second
	forgottenAfter = memory.MaxAge
)

// ID is what makes failures one incident.
type ID struct {
	Cause, At, Upstream string
	// Reason is empty unless the cause leaves it to the upstream to say why.
	Reason Reason
	// Zone is the registered domain of the names, or the server block's zone.
	Zone string
	// NoRD is true for failures of an upstream that was asked without RD.
	NoRD bool
}

var seed = maphash.MakeSeed()

// hash is what a question remembers its incident by. One that was mistaken for another
// would be given a good answer that it has not had; of the few that are held that happens
// once in 2^55 answers.
func (id *ID) hash() uint64 { return maphash.Comparable(seed, *id) }

// Incident is one incident as it stands.
type Incident struct {
	ID
	First, Last time.Time
	// Count is of all failures, Cached of those from cache.
	Count, Cached uint64
	// LastGood is the time of the last good answer: to one of the incident's names
	// since First, or, for an upstream, the last one before First. Zero: none was seen.
	LastGood time.Time
	// Advice and Code are of the first failure's verdict, Code the most telling one.
	Advice string
	Code   uint16
	Lasts  string
	Owner  string
	// Over is true when it has ended.
	Over bool
	open open
}

type incident struct {
	Incident
	hash         uint64
	window       window
	older, newer *incident
}

// count adds f to its incident, which it returns.
func (t *Table) count(f *Failure, now time.Time) *incident {
	in := t.find(&f.ID)
	if in == nil {
		in = t.begin(f, now)
	}
	t.touch(in)
	in.Count++
	// Queries that failed at once are counted in any order.
	if now.After(in.Last) {
		in.Last = now
	}
	in.open.failed(&f.Key)
	if f.Cached {
		in.Cached++
	}
	return in
}

// find returns the incident id, nil if there is none. In an outage it is mostly
// the one that a failure was counted under last.
func (t *Table) find(id *ID) *incident {
	if t.newest != nil && t.newest.ID == *id {
		return t.newest
	}
	return t.incidents[*id]
}

// add puts in into the table.
func (t *Table) add(in *Incident) *incident {
	added := &incident{Incident: *in, hash: in.ID.hash()}
	t.incidents[in.ID], t.hashed[added.hash] = added, added
	return added
}

func (t *Table) begin(f *Failure, now time.Time) *incident {
	if len(t.incidents) >= maxIncidents {
		t.displace(t.oldest)
	}
	in := t.add(&Incident{ID: f.ID, First: now, LastGood: f.LastGood})
	if f.Verdict != nil {
		in.open.alike = f.Verdict.Cause.OfAllNames()
		in.Advice, in.Lasts, in.Owner = f.Verdict.Advice, string(f.Verdict.Lasts), string(f.Verdict.Owner)
		in.Code = f.Verdict.Code()
	}
	return in
}

// touch moves in to the newest end of the list.
func (t *Table) touch(in *incident) {
	if t.newest == in {
		return
	}
	t.unlink(in)
	in.older = t.newest
	if t.newest != nil {
		t.newest.newer = in
	}
	t.newest = in
	if t.oldest == nil {
		t.oldest = in
	}
}

func (t *Table) unlink(in *incident) {
	if in.older != nil {
		in.older.newer = in.newer
	}
	if in.newer != nil {
		in.newer.older = in.older
	}
	if t.oldest == in {
		t.oldest = in.newer
	}
	if t.newest == in {
		t.newest = in.older
	}
	in.older, in.newer = nil, nil
}

func (t *Table) drop(in *incident) {
	t.unlink(in)
	delete(t.incidents, in.ID)
	delete(t.hashed, in.hash)
}

// Incidents returns all incidents, the one that failed last first.
func (t *Table) Incidents() []Incident {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]Incident, 0, len(t.incidents))
	for in := t.newest; in != nil; in = in.older {
		one := in.Incident
		one.open.questions = slices.Clone(one.open.questions)
		all = append(all, one)
	}
	return all
}

// Recovered reports whether what failed is known to resolve again: all of it, unless one
// answer shows that. A question that failed for another cause meanwhile is no exception.
func (in Incident) Recovered() bool {
	if in.open.alike {
		return in.open.good
	}
	return in.rest() && !in.open.has(moved)
}

// rest reports whether what still counts under the incident resolves again.
func (in Incident) rest() bool {
	return !in.open.alike && !in.open.more && in.open.has(answered) && !in.open.has(failing)
}

// Moved reports whether all that does not resolve again fails for another cause by now, as where a
// diagnosis has found that, and counts there.
func (in Incident) Moved() bool {
	return !in.Recovered() && !in.open.more && in.open.has(moved) && !in.open.has(failing)
}
