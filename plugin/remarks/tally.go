package remarks

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

const (
	// maxTallied is how many names a Tally tells apart, with their codes.
	maxTallied = 512
	// maxShown is how many it shows.
	maxShown = 20
	// maxName is how many octets of a name are kept.
	maxName = 255
)

// Tally counts the answers of which something was said, by name and code, in bounded
// memory: the most frequent ones (Space-Saving, Metwally, Agrawal and El Abbadi 2005). A
// nil Tally counts nothing. It is safe for concurrent use.
type Tally struct {
	mu     sync.Mutex
	places map[remark]int
	counts []Count
}

type remark struct {
	name string
	code uint16
}

// Count is how often something was said of a name.
type Count struct {
	// Name is followed by the code and what it stands for: "ads.example.org. 15
	// Blocked". It is harmless text.
	Name string
	// Count may be too high by Over.
	Count, Over uint64

	of remark
}

// NewTally returns an empty tally.
func NewTally() *Tally { return &Tally{places: make(map[remark]int)} }

// Add counts what was said of an answer to a question for name.
func (t *Tally) Add(name string, said []option.Option) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range said {
		t.add(remark{name, o.Code})
	}
}

func (t *Tally) add(r remark) {
	if place, ok := t.places[r]; ok {
		t.counts[place].Count++
		return
	}
	if len(t.counts) < maxTallied {
		t.places[r] = len(t.counts)
		t.counts = append(t.counts, Count{Count: 1, of: r})
		return
	}
	least := 0
	for i := range t.counts {
		if t.counts[i].Count < t.counts[least].Count {
			least = i
		}
	}
	delete(t.places, t.counts[least].of)
	t.places[r] = least
	t.counts[least] = Count{Count: t.counts[least].Count + 1, Over: t.counts[least].Count, of: r}
}

// Top returns the most frequent, the first first.
func (t *Tally) Top() []Count {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	all := slices.Clone(t.counts)
	t.mu.Unlock()
	slices.SortFunc(all, func(a, b Count) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.of.name, b.of.name)) })
	all = all[:min(len(all), maxShown)]
	for i := range all {
		all[i].Name = fmt.Sprintf("%s %d %s", option.Sanitize(all[i].of.name, maxName), all[i].of.code, option.Name(all[i].of.code))
	}
	return all
}
