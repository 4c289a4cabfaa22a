package preflight

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/chain"
)

// mayHave reports whether a link that out tells of may answer with records of the name, and
// none of from: one that answers or may answer, or one that passes on only the names that
// its data lacks. Of forwards to this process it follows as many as hops. What that costs is
// taken off steps.
func (c *config) mayHave(s *server, out chain.Outcome, from string, hops int, steps *int) bool {
	has := func(i int) bool {
		l := &s.chain.Links[i]
		return l.Records(out.Asked, from) && (l.Name != "forward" || c.mayBring(s, i, out.Asked, from, hops, steps))
	}
	some := out.End == chain.Answered && has(out.At)
	for _, p := range out.Passed {
		l := &s.chain.Links[p.Link]
		switch {
		case p.Why == chain.Perhaps && l.Unknown:
			return false
		case p.Why == chain.Perhaps, p.Why == chain.Fallthrough && l.Backed():
			some = some || has(p.Link)
		}
	}
	return some
}

// mayBring reports whether an upstream of the forward at link i may have such records of q.
func (c *config) mayBring(s *server, i int, q chain.Question, from string, hops int, steps *int) bool {
	forwards := c.forwardsOf(s) // they stand in a row
	f := forwards[i-forwards[0].link]
	return slices.ContainsFunc(f.targets, func(t target) bool {
		other := t.server(q.Name)
		switch {
		case other == nil:
			return true // somebody else's
		case hops == 0 || *steps < 0:
			return false
		case other.opaque || other.has("view"):
			return true
		}
		*steps -= other.chain.Steps()
		out := other.chain.Ask(q.Sent(), nil)
		if out.Asked.Name != q.Name && out.Asked.Owner() == from {
			return false
		}
		return c.mayHave(other, out, from, hops-1, steps)
	})
}

// maxHops is how many forwards to this process are followed for an answer.
const maxHops = 4

// findOneWayRewrites looks for rules that change the name of the question, but
// not back in the answer.
func findOneWayRewrites(_ *config, s *server) []finding {
	var all []finding
	for i := range s.chain.Links {
		if r, ok := s.fate.renamings[i]; ok {
			found := at(s.chain.Links[i].Directive, listed(r.to), listed(r.from))
			r.say(&found, s.chain.Links[i].HasAnswerNames())
			all = append(all, found)
		}
	}
	return all
}

// findInvalidNames looks for rules that make of a name what is none.
func findInvalidNames(_ *config, s *server) []finding {
	var all []finding
	for i := range s.chain.Links {
		if r, ok := s.fate.invalid[i]; ok {
			found := at(s.chain.Links[i].Directive, listed(r.to), listed(r.from))
			if rule := s.chain.Links[i].Repaired(r.from); rule != "" {
				found.fix = "write the rule as `" + Printable(rule) + "`"
			}
			found.names = []string{r.from}
			all = append(all, found)
		}
	}
	return all
}

// A renaming is a name that clients ask for, what rewrite makes of it, and the name of
// the records that clients get.
type renaming struct{ from, to, owner string }

// say puts what happens to names into words, if the check's own do not fit. answers is
// true if the rule has an answer for them.
func (r renaming) say(f *finding, answers bool) {
	_, legal := dns.IsDomainName(r.owner)
	ignored := ": clients that compare the names ignore the answer"
	switch {
	case answers && !legal:
		f.text = "rewrite changes %[2]s to %[1]s, and with `answer name` the records have the name %[3]s, which is no domain name: clients get no answer at all"
	case answers && r.owner == r.to:
		f.text = "rewrite changes %[2]s to %[1]s, `answer name` does not match this name, and the records of the answer have the new name" + ignored
	case answers:
		f.text = "rewrite changes %[2]s to %[1]s, and with `answer name` the records have the name %[3]s" + ignored
	case !legal:
		f.text = "rewrite changes %[2]s to %[1]s, and the records of the answer have the name %[3]s, which is no domain name: clients get no answer at all"
	case r.owner != r.to:
		f.text = "rewrite changes %[2]s to %[1]s, and the records of the answer have the name %[3]s" + ignored
	}
	if f.text != "" && (!legal || r.owner != r.to) {
		f.args = append(f.args, listed(r.owner))
	}
	if answers {
		f.fix = "write `answer auto` in the rule in place of `answer name`"
	}
}

// spoken returns the zones and names that s speaks of, and those of the blocks of this
// process that it may forward to, of many the first few.
func (c *config) spoken(s *server) (zones, names []string) {
	zones, names = s.chain.Spoken(s.zones, maxZones)
	for _, f := range c.forwardsOf(s) {
		for _, t := range f.targets {
			if !t.mayBeHere() {
				continue
			}
			for _, other := range t.here.blocks {
				if other == s || len(zones) > maxZones || len(names) > maxZones {
					continue
				}
				z, n := other.chain.Spoken(s.zones, maxZones)
				zones, names = append(zones, z...), append(names, n[:min(len(n), maxZones)]...)
			}
		}
	}
	return zones, names
}

// renamings finds one for each rule of s that makes any, by link, and for each rule that
// makes a name that is none. What that costs is taken off steps; without enough of them s
// is not judged.
func (c *config) renamings(s *server, steps *int) (renamed, invalid map[int]renaming) {
	if !s.has("rewrite") {
		return nil, nil
	}
	renamed, invalid = make(map[int]renaming), make(map[int]renaming)
	zones, names := c.spoken(s)
	for i := range s.chain.Links {
		l := &s.chain.Links[i]
		for from, to := range l.Illegal(zones, names) {
			if *steps -= s.chain.Steps(); *steps < 0 {
				break
			}
			q := chain.Question{Name: from, Type: dns.TypeA}
			if out := s.chain.Ask(q, nil); out.End == chain.Invalid && out.At == i && c.comesTo(s, q) && !s.particular() {
				invalid[i] = renaming{from: from, to: to}
				break
			}
		}
		if l.HasAnswerNames() && s.chain.Continued(i) {
			continue
		}
		for from, to := range l.Renamed(zones, names) {
			if *steps -= 2 * s.chain.Steps(); *steps < 0 {
				s.skip(overSteps)
				return nil, nil
			}
			if from == to || to == "." { // the root has no addresses
				continue
			}
			if asked, ok := c.renames(s, from, steps); ok {
				for _, j := range asked.OneWay() {
					if renamed[j].from == "" {
						renamed[j] = renaming{from, asked.Name, asked.Owner()}
					}
				}
				break
			}
		}
	}
	return renamed, invalid
}

// renames reports whether s may answer a question for an address of from with records
// of another name, and what rewrite made of the question.
func (c *config) renames(s *server, from string, steps *int) (asked chain.Question, ok bool) {
	for _, t := range []uint16{dns.TypeA, dns.TypeAAAA} {
		q := chain.Question{Name: from, Type: t}
		if !c.comesTo(s, q) {
			continue
		}
		out := s.chain.Ask(q, nil)
		if out.Asked.Owner() != from && c.mayHave(s, out, from, maxHops, steps) {
			return out.Asked, true
		}
	}
	return asked, false
}

// outgrown is in place of a forward that gets a question of which rewrite makes what is no name.
const outgrown = -2

// grownText is of a circle in which rewrite makes other names of each name.
const grownText = "forward sends %s to %s, where this process listens: unless another process has that address, the query comes back to the same block, rewrite makes the name longer each time, and when it is too long clients get SERVFAIL"

// outgrows reports whether a question comes to s on a way that ends with a name that is too
// long: rewrite makes it longer, and each time it is another question. A forward of another
// block on the way that may send it elsewhere is that one's mistake.
func (h *hop) outgrows(s *server) bool {
	for h.outgrown {
		switch {
		case h.at == s:
			return true
		case slices.Contains(h.next, nil):
			return false
		}
		i := slices.IndexFunc(h.next, func(next *hop) bool { return next != nil && next.outgrown })
		if i < 0 {
			return false
		}
		h = h.next[i]
	}
	return false
}

// sends returns the index of the forward of s that gets q, or -1 if that cannot be told, or
// outgrown, and what it asks. What comes back has an address of this machine: acl may reject it.
func (s *server) sends(q chain.Question) (int, chain.Question) {
	if s.opaque || s.has("view") || s.chain.Renames || s.any((*chain.Link).ByAddress) {
		return -1, q
	}
	out := s.chain.Ask(q, nil)
	_, legal := dns.IsDomainName(out.Asked.Name) // rewrite may make it longer each time
	if out.End == chain.Invalid {
		return outgrown, q
	}
	if legal && out.End == chain.Answered && s.chain.Links[out.At].Name == "forward" {
		return out.At, out.Asked.Sent()
	}
	return -1, q
}
