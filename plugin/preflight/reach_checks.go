package preflight

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/chain"
)

// findNeverAsked looks for plugins that answer, but are asked for nothing: one
// above answers all that they are there for, or none of it comes to the block.
func findNeverAsked(c *config, s *server) []finding {
	if s.chain.Renames || s.opaque || len(s.zones) == 0 {
		return nil
	}
	var all []finding
	var seldom []bool
	for i := range s.chain.Links {
		l := &s.chain.Links[i]
		if s.repeats(i) || addressed(l) {
			continue // plugin-twice and impossible-zone tell
		}
		if l.Read != nil {
			all = append(all, notRead(l))
			continue
		}
		if !l.Answers && l.Name != "auto" || s.fate.asked[i] || s.fate.through[i] || s.serves(l) {
			continue
		}
		if seldom == nil {
			seldom = c.seldomAsked(s)
		}
		switch {
		case seldom[i] && (!s.fate.claimed[i] || !s.any((*chain.Link).Recodes)):
		case !s.fate.claimed[i] && outside(s, l) && !s.has("rewrite"):
			found := at(l.Directive, l.Name, "it is for names under "+listed(l.Zones...)+", none of which come to this block")
			found.fix = "move it to a block for the names it is meant for, or add their zone to the keys of this one"
			all = append(all, found)
		case !s.fate.claimed[i] && !s.fate.ends[i] && s.renamed(i):
			found := at(l.Directive, l.Name, "rewrite changes all names that it is there for")
			found.fix = "give it the zone of the new names, or limit the rule of rewrite to fewer names"
			all = append(all, found)
		case !s.fate.claimed[i] && !s.fate.ends[i] && s.excepted(l):
			found := at(l.Directive, l.Name, "its except contains all names of this block")
			found.fix = "remove it, or write in except only the zones that are not for it"
			all = append(all, found)
		case !s.fate.claimed[i] && !s.fate.ends[i] && l.Name != "hosts" && !s.has("transfer") && !s.imports(l) && !s.any(func(other *chain.Link) bool { return other.MayMake(l.Zones) }):
			if other := c.takes(s, l); other != nil {
				found := at(l.Directive, l.Name, fmt.Sprintf("the block of %s (%s) gets all names that it is there for", listed(other.Keys...), lineOf(other.File, other.Line, l.File)))
				found.fix = "remove it; or, if it should answer these names, move it to that block, in place of what answers them there"
				all = append(all, found)
			}
		case s.fate.claimed[i] && !s.fate.barred[i] && len(s.fate.stops[i]) > 0:
			found := at(l.Directive, l.Name, s.stoppers(i))
			if seldom[i] { // by a hosts without fallthrough, of which rewrite hides the SERVFAIL
				found.text = "%s is asked only for types that clients seldom ask for: %s"
			}
			found.fix = s.chain.PastForwards(i, s.fate.stops[i], s.zones)
			all = append(all, found)
		}
	}
	return all
}

// notRead finds a plugin of which CoreDNS reads another use.
func notRead(l *chain.Link) finding {
	which := "first"
	if l.Read.Use > l.Use {
		which = "last"
	}
	found := at(l.Directive, l.Name, fmt.Sprintf("CoreDNS reads only the %s %s of a block (%s)", which, l.Name, lineOf(l.Read.File, l.Read.Line, l.File)))
	found.certain = true
	found.fix = fmt.Sprintf("write it in a server block for its own zones, or all zones in one `%s`", l.Name)
	return found
}

// seldomAsked tells which links are asked for types that fateOf leaves out: a plugin
// above that answers all of the usual ones may pass these on, as hosts does with PTR.
func (c *config) seldomAsked(s *server) []bool {
	asked := make([]bool, len(s.chain.Links))
	for _, p := range s.chain.Probes(s.zones) {
		for _, t := range p.Rest(s.fate.types) {
			q := chain.Question{Name: p.Name, Type: t}
			if !c.comesTo(s, q) {
				continue
			}
			out := s.chain.Ask(q, asked)
			for out.End == chain.Missed {
				out = s.chain.AskBelow(out.At, out.Asked, asked)
			}
		}
	}
	return asked
}

// renamed reports whether questions that come to s are for link i, and rewrite
// takes all of them elsewhere.
func (s *server) renamed(i int) bool {
	zones := s.chain.Links[i].Zones
	return s.fate.meant[i] && !s.any(func(other *chain.Link) bool { return other.MayMake(zones) })
}

// excepted reports whether the except of l has all names of s. The apex of its own
// zone a forward asks for all the same.
func (s *server) excepted(l *chain.Link) bool {
	return len(l.Zones) > 0 && !slices.ContainsFunc(s.zones, func(z string) bool { return !chain.Covered(l.Except, z) || chain.Covered(s.zones, l.Zones[0]) })
}

// serves reports whether other plugins of s use l for more than the client's questions.
func (s *server) serves(l *chain.Link) bool {
	return l.Name == "kubernetes" && (s.has("k8s_external") || s.has("autopath")) ||
		l.Name == "etcd" && s.has("autopath")
}

func (s *server) stoppers(i int) string {
	var by []string
	for j := range s.chain.Links {
		if s.fate.stops[i][j] {
			other := &s.chain.Links[j]
			by = append(by, fmt.Sprintf("%s (%s)", other.Name, lineOf(other.File, other.Line, s.chain.Links[i].File)))
		}
	}
	const most = 3
	if more := len(by) - most; more > 0 {
		by = append(by[:most], fmt.Sprintf("%d more", more))
	}
	verb := " answers"
	if len(by) > 1 {
		verb = " answer"
	}
	return strings.Join(by, " and ") + verb + " all names that could reach it"
}

// findUnusedEntries looks for names in hosts that no client gets: they are not
// of the block's zones, or another block or plugin answers them before. An entry
// of a snippet counts if it is used in any of the blocks that import it.
func findUnusedEntries(c *config, s *server) []finding {
	all := findMisreadLines(c, s)
	l, ok := s.find("hosts")
	if !ok || s.opaque || s.chain.Renames || s.has("autopath") || s.particular() || len(l.Entries()) == 0 || !s.hostsAmong(s.fate.asked) && (s.hostsAmong(s.fate.claimed) || outside(s, l)) {
		return all
	}
	unused := make(map[vain][]string)
	for _, name := range l.Entries() {
		if v := c.unused(s, l, name); v.why != "" && c.vainElsewhere(s, l, name, &v) && !v.repeated(name) {
			v.fix = v.remedy(l, name)
			unused[v] = append(unused[v], name)
		}
	}
	for v, names := range unused {
		found := at(l.Directive, listed(names...), v.why)
		found.names, found.fix = names, v.fix
		if v.points {
			found.text = "hosts gives no client the addresses of %s, only the names to PTR queries: %s"
		}
		all = append(all, found)
	}
	slices.SortStableFunc(all, func(a, b finding) int { return strings.Compare(fmt.Sprint(a.args), fmt.Sprint(b.args)) })
	return all
}

// hostsAmong reports whether the hosts of s is among some of its links.
func (s *server) hostsAmong(some []bool) bool {
	i := slices.IndexFunc(s.chain.Links, func(l chain.Link) bool { return l.Name == "hosts" })
	return i >= 0 && some[i]
}

// unused says whether an entry of hosts is of no use in s. One that no query for its
// name can reach is there for PTR queries, if they do.
func (c *config) unused(s *server, l *chain.Link, entry string) vain {
	types, pointers := l.Gives(entry)
	var v vain
	for _, t := range types {
		was := v.why
		v = c.unasked(s, l, chain.Question{Name: strings.Replace(entry, "*.", "nowhere.", 1), Type: t})
		if v.why == "" {
			return v
		}
		if was != "" && was != v.why {
			v.why = was + "; " + v.why
		}
	}
	v.points = slices.ContainsFunc(pointers, func(name string) bool { return c.points(s, name) })
	if v.points && (v.why == renamedBefore || v.why == notHere) {
		return vain{}
	}
	return v
}

// points reports whether the hosts of s may get a PTR query for name.
func (c *config) points(s *server, name string) bool {
	q := chain.Question{Name: name, Type: dns.TypePTR}
	if c.made(s, q) {
		return true
	}
	if !c.comesTo(s, q) {
		return false
	}
	asked := make([]bool, len(s.chain.Links))
	out := s.chain.Ask(q, asked)
	return out.Asked.Name == q.Name && out.Asked.Type == q.Type && s.hostsAmong(asked)
}

// unasked says why the question for an entry does not reach the hosts of s.
func (c *config) unasked(s *server, l *chain.Link, q chain.Question) vain {
	made := c.made(s, q)
	switch {
	case !chain.Covered(s.zones, q.Name) && !made:
		return vain{why: notHere}
	case strings.Contains(q.Name, "*"):
		return vain{why: innerStar}
	case strings.ContainsAny(q.Name, ",;"):
		return vain{why: noName}
	case !l.Has(q.Name):
		return vain{why: "hosts has only names under " + listed(l.Zones...)}
	case !made && !c.comesTo(s, q):
		for _, p := range s.services {
			if other := p.taker(s, q); other != nil {
				why := fmt.Sprintf("the block of %s (%s) gets these names", listed(other.Keys...), lineOf(other.File, other.Line, l.File))
				return vain{why: why, taker: other, before: c.beforeHosts(other, q)}
			}
		}
	}
	out := s.chain.Ask(q, nil)
	if out.Asked.Name != q.Name && !made {
		return vain{why: renamedBefore}
	}
	if before := c.beforeHosts(s, q); before != nil {
		return vain{why: fmt.Sprintf("%s (%s) answers before", before.Name, lineOf(before.File, before.Line, l.File)), before: before}
	}
	return vain{}
}

// beforeHosts returns what answers q in s before a hosts is asked, nil if nothing does.
func (c *config) beforeHosts(s *server, q chain.Question) *chain.Link {
	out := s.chain.Ask(q, nil)
	if out.Asked.Name != q.Name || out.End != chain.Answered {
		return nil
	}
	l := &s.chain.Links[out.At]
	if slices.Index(c.order, l.Name) >= slices.Index(c.order, "hosts") {
		return nil
	}
	return l
}
