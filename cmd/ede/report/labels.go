package report

import (
	"cmp"
	"slices"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/figures"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/found"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logline"
)

// maxLabels bounds the values of one field.
const maxLabels = 64

// labels counts the values of a field that has few of them.
type labels map[string]*uint64

func (l labels) add(val []byte, n uint64) {
	if len(val) > 0 {
		*l.of(val) += n
	}
}

// of returns where a value is counted.
func (l labels) of(val []byte) *uint64 {
	if count := l[string(val)]; count != nil {
		return count
	}
	return l.begin(val)
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

func (h *heavy) shares(n int) []figures.Share {
	var shares []figures.Share
	for _, e := range h.top(n) {
		shares = append(shares, figures.Share{Value: e.key, Count: e.count})
	}
	return shares
}

// An alike is where failures with a line of their own are counted that are alike, as their
// records say: looking up each of their values would take most of the time.
type alike struct {
	cause  int
	counts [len(labelFields)]*uint64 // nil for a field without a value
	stand  *stand
	said   *saying // nil if nothing is said
	// upstream and ofCause are the entries of their upstream, in all and in the cause's,
	// and failing is that of their instance; see heavy.again.
	upstream, ofCause, failing *entry
	// went is where their zones are counted, nil if that is not known.
	went *found.Zones
}

// labelFields are the fields that are labels of a cause.
var labelFields = [...]logline.Field{logline.RCode, logline.Owner, logline.Lasts, logline.EDE, logline.At, logline.Sent}

// maxAlikes bounds the alikes: failures that are like none of them are looked up each time.
const maxAlikes = 2048

// admitted is a record that passes the filter, with the number of its cause, if it is one
// that is counted by causes, and where failures like it are counted, if that is known.
type admitted struct {
	*logline.Record
	cause int
	alike *alike
}

// admit reports whether r passes the filter. It may change r.
func (t *tally) admit(r *logline.Record) (a admitted, wanted bool) {
	if t.filter.covers(r.Time) {
		t.ours++
		t.meet(r)
	} else if r.Kind == logline.Notice || r.Kind == logline.Answer {
		return a, false
	}
	if r.Kind == logline.Notice {
		t.notices++
		return a, false
	}
	if r.Kind == logline.Answer {
		t.answers++
		return a, false
	}
	count := r.Count
	wanted = t.filter.apply(r, &t.left)
	if r.Kind == logline.Query || r.Kind == logline.Summary {
		t.left.Failures += count
		if wanted {
			t.left.Failures -= r.Count
		}
	}
	a.Record = r
	if !wanted {
		return a, false
	}
	if r.Kind == logline.Query {
		if a.alike = t.alikes[r.Alike]; a.alike != nil {
			a.cause = a.alike.cause
			return a, true
		}
	}
	if r.Kind == logline.Query || r.Kind == logline.Summary || r.Kind == logline.Recovered {
		a.cause = t.cause(r.Get(logline.Cause))
	}
	return a, true
}

// begin makes the alike of r, whose cause has the number no. Others like r find it as
// long as there is room.
func (t *tally) begin(no int, r *logline.Record) *alike {
	if a := t.alikes[r.Alike]; a != nil {
		return a
	}
	c := t.causes[no]
	a := &alike{cause: no, stand: c.on(r), said: c.saying(r)}
	for i, l := range [len(labelFields)]labels{c.rcodes, c.owners, c.lasts, c.codes, c.at, t.sent} {
		if val := r.Get(labelFields[i]); len(val) > 0 {
			a.counts[i] = l.of(val)
		}
	}
	if len(t.alikes) < maxAlikes {
		t.alikes[r.Alike] = a
	}
	return a
}

// mix is a Space-Saving table so small that every entry can have one: it finds
// the cause that makes up more than half of a key's failures.
type mix [4]struct {
	cause int32
	count uint64
	over  uint64
}

func (m *mix) add(cause int, n uint64) {
	least := 0
	for i := range m {
		if m[i].count > 0 && m[i].cause == int32(cause) {
			m[i].count += n
			return
		}
		if m[i].count < m[least].count {
			least = i
		}
	}
	over := m[least].count
	m[least].cause, m[least].count, m[least].over = int32(cause), over+n, over
}

// of returns how many failures certainly have the cause.
func (m *mix) of(cause int) uint64 {
	for _, slot := range m {
		if slot.count > 0 && slot.cause == int32(cause) {
			return slot.count - slot.over
		}
	}
	return 0
}

// most returns the cause that certainly makes up more than half of total.
func (m *mix) most(total uint64) (cause int, ok bool) {
	for _, slot := range m {
		if (slot.count-slot.over)*2 > total {
			return int(slot.cause), true
		}
	}
	return 0, false
}
