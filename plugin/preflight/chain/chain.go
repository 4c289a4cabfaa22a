// Package chain predicts, for one server block, which plugin answers a question
// and which pass it on, from the directives alone.
//
// The question is a concrete one: a name and a type. Each plugin is asked in the
// order of the chain and decides as its ServeDNS does. The name is
// assumed to be in no backend, unless the hosts lines of the Corefile have it:
// data that are not in the Corefile are assumed not to contain the name. What a
// plugin does with the question is then certain for most of CoreDNS's own plugins;
// for the others, and for external ones, the outcome is Unknown.
package chain

import (
	"cmp"
	"slices"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/corefile"
)

// A Question is what a plugin is asked. Name is a lower-case FQDN.
type Question struct {
	Name string
	Type uint16

	rewritten bool // a rule of rewrite took it that stops
	allowed   bool // a rule of acl let it pass all others
	recoded   bool // a rule of rewrite makes another rcode of a SERVFAIL
	named     bool // a rule of rewrite makes this very name, so that some backend may have it
	undo      *undo
}

// An End is how a question ends.
type End int

// Ends of a question.
const (
	Unknown  End = iota // it cannot be told
	Answered            // by the plugin At
	Meant               // as the Corefile wants it: acl drops it, erratic fails
	Missed              // the plugin At ends it with SERVFAIL, as hosts and template do
	NoNext              // SERVFAIL: no next plugin found
	Refused             // by a plugin with zone files, the last of the chain
	Invalid             // SERVFAIL: the rule of rewrite At makes what is no name
	NoChain             // REFUSED: the block has no plugin with a place in the chain
)

// An Outcome is what becomes of a question.
type Outcome struct {
	End    End
	At     int      // the link that ended it, -1 if none did
	Passed []Pass   // the links that it was the business of and that passed it on or may have, in order
	Asked  Question // as the last link saw it: rewrite changes it
}

// A Pass is a link that had a question and passed it on.
type Pass struct {
	Link int
	Why  Why
}

// Why is why a link passed a question on.
type Why int

// Reasons to pass a question on.
const (
	Fallthrough Why = iota // fallthrough says so
	OtherType              // a template for other types
	Excepted               // forward's except
	Perhaps                // it may have answered in place of passing it on
)

// A step is what one link does with a question.
type step int

const (
	pass step = iota
	passFall
	passType
	passExcept
	answer
	maybe // it answers or passes on
	miss
	refuse
	meant // acl's, erratic's
	invalid
)

// A Chain is the plugins of a server block in the order in which they are asked.
type Chain struct {
	Links []Link
	// Renames is true if rewrite may ask for names that cannot be told.
	Renames bool

	first []int // the links, but for further uses of the plugin of the one before
	last  int   // index of the last link with a place in the chain, -1 if there is none
}

// An Order is the place of each plugin in the chain.
type Order map[string]int

// OrderOf returns the order of dnsserver.Directives.
func OrderOf(directives []string) Order {
	o := make(Order, len(directives))
	for i, name := range directives {
		o[name] = i
	}
	return o
}

// rank is the place of a plugin. That of an external one is not known without
// its build. At the end it may answer what no other does.
func (o Order) rank(name string) int {
	if i, ok := o[name]; ok {
		return i
	}
	return len(o)
}

// sorted returns the places of directives in ds, in the order of the chain. Those of
// one rank stand as the uses of each plugin do.
func (o Order) sorted(ds []corefile.Directive) []int {
	ranks, places := make([]int, len(ds)), make([]int, len(ds))
	for i := range ds {
		ranks[i], places[i] = o.rank(ds[i].Name), i
	}
	slices.SortFunc(places, func(a, b int) int {
		if ranks[a] != ranks[b] {
			return cmp.Compare(ranks[a], ranks[b])
		}
		return cmp.Or(cmp.Compare(ds[a].Use, ds[b].Use), cmp.Compare(a, b))
	})
	return places
}

// New returns the chain of a block with these directives and zones. The
// Corefile's own order counts only among the uses of one plugin. ok is false, and
// the chain empty, if the block and its plugins have more than most zones.
func New(ds []corefile.Directive, zones []string, order Order, most int) (c *Chain, ok bool) {
	c = &Chain{Links: make([]Link, len(ds)), last: -1}
	size := len(zones)
	places := order.sorted(ds)
	for i, place := range places {
		l := &c.Links[i]
		l.read(&ds[place], zones, most)
		if size += len(l.Fall); !slices.Equal(l.Zones, zones) {
			size += len(l.Zones)
		}
		if size > most {
			return &Chain{last: -1}, false
		}
	}
	c.join()
	c.first = places[:0] // which are read
	for i := range c.Links {
		if i == 0 || c.Links[i].Name != c.Links[i-1].Name {
			c.first = append(c.first, i)
		}
		if c.Links[i].handler {
			c.last = i
		}
		c.Renames = c.Renames || c.Links[i].rewrite != nil && c.Links[i].rewrite.opaque
	}
	return c, true
}

// Empty reports whether no plugin has a place in the chain: CoreDNS then refuses
// every question itself.
func (c *Chain) Empty() bool { return c.last < 0 }

// Find returns the first use of a plugin. If there is none, it returns a link without
// arguments and zones, and false.
func (c *Chain) Find(name string) (*Link, bool) {
	for _, i := range c.first {
		if c.Links[i].Name == name {
			return &c.Links[i], true
		}
	}
	return absent, false
}

// Steps is how much one question may ask of the chain: its plugins, and their
// patterns.
func (c *Chain) Steps() int {
	n := len(c.Links)
	for i := range c.Links {
		if t := c.Links[i].template; t != nil {
			n += len(t.texts)
		}
	}
	return n
}

// Ask returns what becomes of q. If asked is not nil, asked[i] becomes true for
// each link that q reaches, or may reach, and that is there for it.
func (c *Chain) Ask(q Question, asked []bool) Outcome { return c.AskBelow(-1, q, asked) }

// AskBelow is Ask for a question that link i passes on.
func (c *Chain) AskBelow(i int, q Question, asked []bool) Outcome {
	out := Outcome{At: -1, End: NoNext}
	if c.last < 0 {
		out.End = NoChain
		return out
	}
	uncertain := false
	for i++; i < len(c.Links); i++ {
		l := &c.Links[i]
		if l.meet == nil {
			continue
		}
		if asked != nil && l.Claims(q) {
			asked[i] = true
		}
		switch s := l.meet(c, i, &q); s {
		case passFall:
			out.Passed = append(out.Passed, Pass{i, Fallthrough})
		case passType:
			out.Passed = append(out.Passed, Pass{i, OtherType})
		case passExcept:
			out.Passed = append(out.Passed, Pass{i, Excepted})
		case maybe:
			out.Passed = append(out.Passed, Pass{i, Perhaps})
			uncertain = true
		case pass:
		default:
			if uncertain && s == answer {
				out.Passed = append(out.Passed, Pass{i, Perhaps})
			}
			out.At, out.End = i, ends[s]
			return out.settle(q, uncertain)
		}
	}
	return out.settle(q, uncertain)
}

var ends = map[step]End{answer: Answered, miss: Missed, meant: Meant, refuse: Refused, invalid: Invalid}

// settle is the end of a question whose way was not certain, or whose rcode
// rewrite changes.
func (o Outcome) settle(q Question, uncertain bool) Outcome {
	o.Asked = q
	if uncertain || q.recoded && (o.End == NoNext || o.End == Missed) {
		o.End = Unknown
	}
	return o
}
