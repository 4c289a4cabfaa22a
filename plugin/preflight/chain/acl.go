package chain

import (
	"slices"
	"strings"
)

// A policy is one line of acl.
type policy struct {
	allow bool
	types []uint16 // nil: all
	some  bool     // for the clients of some networks
}

// everybody are networks that a rule for all clients names.
var everybody = []string{"*", "0.0.0.0/0", "::/0"}

// prepareACL is plugin/acl/setup.go, parse. The zones of acl are those that it
// protects: rewrite may make a name that is in none of the block's.
func prepareACL(l *Link) {
	for _, line := range l.Lines[min(1, len(l.Lines)):] {
		if len(line) == 0 {
			continue
		}
		p := policy{allow: strings.EqualFold(line[0], "allow")}
		section, every := "", false
		for _, word := range line[1:] {
			switch low := strings.ToLower(word); {
			case low == "type" || low == "net":
				section = low
				p.some = p.some || low == "net"
			case section == "net" && slices.Contains(everybody, word):
				every = true
			case section == "type" && word != "*":
				p.types = append(p.types, typeNamed(word))
			}
		}
		p.some = p.some && !every
		l.acl = append(l.acl, p)
	}
}

// ByAddress reports whether l is an acl that treats the clients of some networks in
// another way than others.
func (l *Link) ByAddress() bool {
	return slices.ContainsFunc(l.acl, func(p policy) bool { return p.some })
}

// meetACL follows the client that fares best: what acl does to some networks
// only does not end a question.
func meetACL(c *Chain, i int, q *Question) step {
	l := &c.Links[i]
	if q.allowed || !l.group.has(q.Name) {
		return pass
	}
	for _, p := range l.acl {
		if p.types != nil && !slices.Contains(p.types, q.Type) {
			continue
		}
		switch {
		case p.allow:
			q.allowed = true
			return pass
		case !p.some:
			return meant
		}
	}
	return pass
}
