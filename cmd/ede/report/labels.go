package report

import (
	"cmp"
	"slices"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/figures"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logline"
)

// maxLabels bounds the values of one field.
const maxLabels = 64

// labels counts the values of a field that has few of them.
type labels map[string]*uint64

func (l labels) add(val []byte, n uint64) {
	if len(val) == 0 {
		return
	}
	count := l[string(val)]
	if count == nil {
		count = l.begin(val)
	}
	*count += n
}

// begin counts another value from now on, or what is beyond the bound.
func (l labels) begin(val []byte) *uint64 {
	if len(l) >= maxLabels-1 {
		val = []byte(other)
	}
	if l[string(val)] == nil {
		l[string(val)] = new(uint64)
	}
	return l[string(val)]
}

// most returns the value counted most, "" of none.
func (l labels) most() (val string) {
	var most uint64
	for v, n := range l {
		if *n > most || *n == most && (val == "" || v < val) {
			val, most = v, *n
		}
	}
	return val
}

// addAll adds the counts of a cause; what its lines did not label of the total
// goes to the given value.
func (l labels) addAll(from labels, total uint64, rest string) {
	for val, n := range from {
		l.add([]byte(val), *n)
		total -= *n
	}
	if total > 0 {
		l.add([]byte(rest), total)
	}
}

func (l labels) shares() []figures.Share {
	shares := make([]figures.Share, 0, len(l))
	for v, n := range l {
		shares = append(shares, figures.Share{Value: v, Count: *n})
	}
	return byCount(shares)
}

func byCount(shares []figures.Share) []figures.Share {
	slices.SortFunc(shares, func(a, b figures.Share) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
	return shares
}

// label takes what query lines alone tell.
func (c *causeTally) label(r *logline.Record) {
	c.rcodes.add(r.Get(logline.RCode), 1)
	c.owners.add(r.Get(logline.Owner), 1)
	c.lasts.add(r.Get(logline.Lasts), 1)
	c.codes.add(r.Get(logline.EDE), 1)
	keepLast(&c.advice, r.Get(logline.Advice))
	c.say(r, 1)
}
