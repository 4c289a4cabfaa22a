package incident

import (
	"cmp"
	"container/list"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	// maxNames is how many failing names are kept; the one whose last failure
	// is the oldest makes room for a new one.
	maxNames = 1024
	// maxEpisodes is how many episodes of one name are kept, and maxTypes how
	// many record types an episode tells apart.
	maxEpisodes = 5
	maxTypes    = 4
)

// Episode is a time during which one name failed for one cause.
type Episode struct {
	Cause, Upstream string
	First, Last     time.Time
	Count           uint64
	// OKSince is when what had failed was first answered again; zero if that
	// was not seen.
	OKSince time.Time
}

type nameKey struct {
	block uint64
	name  string
}

type failingName struct {
	key      nameKey
	episodes []*episode
}

type episode struct {
	Episode
	// open are the record types that have failed and not been answered since.
	open []failedType
}

// failedType is a record type; cd is true if it failed for queries with CD set.
type failedType struct {
	qtype uint16
	cd    bool
}

// names holds what failed by name, bounded by the names whose last failure is
// the latest.
type names struct {
	held  map[nameKey]*list.Element
	order *list.List // of *failingName, the latest failure first
	// failing counts the episodes that are not over.
	failing int
}

func newNames() names { return names{held: make(map[nameKey]*list.Element), order: list.New()} }

func keyFor(block uint64, name string) nameKey {
	return nameKey{block, strings.ToLower(clip(name, maxName))}
}

// failed records d and reports whether it began an episode.
func (n *names) failed(now time.Time, d *Detail) bool {
	key := keyFor(d.Block, d.Question.Name)
	element := n.held[key]
	if element == nil {
		if n.order.Len() >= maxNames {
			n.drop(n.order.Back())
		}
		element = n.order.PushFront(&failingName{key: key})
		n.held[key] = element
	}
	n.order.MoveToFront(element)
	name := element.Value.(*failingName)
	e, begun := name.episode(now, d.Verdict.Cause.ID, d.Verdict.Upstream), false
	if e == nil {
		e, begun = &episode{Episode: Episode{Cause: d.Verdict.Cause.ID, Upstream: d.Verdict.Upstream, First: now}}, true
		n.insert(name, e)
	}
	e.Count++
	e.Last = now
	if t := (failedType{d.Question.Qtype, d.CheckingDisabled}); !slices.Contains(e.open, t) && len(e.open) < maxTypes {
		e.open = append(e.open, t)
	}
	return begun
}

// episode returns the one that is not over and has the same cause.
func (f *failingName) episode(now time.Time, id, upstream string) *episode {
	for _, e := range f.episodes {
		if e.OKSince.IsZero() && now.Sub(e.Last) <= kept && e.Cause == id && e.Upstream == upstream {
			return e
		}
	}
	return nil
}

// insert adds e to name, in place of the episode that failed the longest ago.
func (n *names) insert(name *failingName, e *episode) {
	n.failing++
	if len(name.episodes) < maxEpisodes {
		name.episodes = append(name.episodes, e)
		return
	}
	oldest := 0
	for i, other := range name.episodes {
		if other.Last.Before(name.episodes[oldest].Last) {
			oldest = i
		}
	}
	n.closeEpisode(name.episodes[oldest])
	name.episodes[oldest] = e
}

func (n *names) closeEpisode(e *episode) {
	if e.OKSince.IsZero() {
		n.failing--
	}
}

func (n *names) drop(element *list.Element) {
	name := element.Value.(*failingName)
	for _, e := range name.episodes {
		n.closeEpisode(e)
	}
	n.order.Remove(element)
	delete(n.held, name.key)
}

// succeeded notes a good answer to q and reports whether that ended an episode. One with cd
// set ends nothing that failed without.
func (n *names) succeeded(now time.Time, block uint64, q dns.Question, cd bool) (ended bool) {
	element := n.held[keyFor(block, q.Name)]
	if element == nil {
		return false
	}
	for _, e := range element.Value.(*failingName).episodes {
		before := len(e.open)
		e.open = slices.DeleteFunc(e.open, func(t failedType) bool { return t.qtype == q.Qtype && (t.cd || !cd) })
		if before > 0 && len(e.open) == 0 {
			e.OKSince = now
			n.failing--
			ended = true
		}
	}
	return ended
}

func (n *names) episodes(now time.Time, block uint64, name string) []Episode {
	element := n.held[keyFor(block, name)]
	if element == nil {
		return nil
	}
	var all []Episode
	for _, e := range element.Value.(*failingName).episodes {
		if now.Sub(e.Last) <= kept {
			all = append(all, e.Episode)
		}
	}
	slices.SortStableFunc(all, func(a, b Episode) int { return cmp.Compare(b.Last.UnixNano(), a.Last.UnixNano()) })
	return all
}
