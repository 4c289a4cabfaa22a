package preflight

import (
	"slices"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/chain"
)

// fate is what becomes of the questions that come to a block.
type fate struct {
	failures []*failure
	// asked and claimed are by link: whether it is asked for what it is there for,
	// and whether anything that it is there for comes to the block.
	asked, claimed []bool
	// stops are by link: what answers or fails all that it is there for.
	stops []map[int]bool
	// through is asked if hosts and template passed on what they fail.
	through []bool
	// barred are the links that acl keeps questions from, on purpose.
	barred []bool
	types  []uint16
	answer bool // some plugin may answer something
	// ends are the links that end some question, and meant those that one is for
	// before rewrite has made another of it.
	ends, meant []bool
	// renamings are by link, of rewrite, and invalid are those that make no name.
	renamings, invalid map[int]renaming
}

// A failure is the questions of a block that fail in the same way, in SERVFAIL or REFUSED.
type failure struct {
	how   how
	link  int   // that ends or passes on the question, -1 if none has to do with it
	below []int // links that would answer if it passed the question on
	zones map[string]*scope
}

type how int

const (
	unclaimed   how = iota // no plugin has to do with it
	fellThrough            // the last plugin that had it passed it on
	otherType              // templates of other types
	excepted               // forward's except
	missed                 // hosts or template fail it
	refused                // a plugin with zone files, for a zone that it does not have
)

// A scope is what fails within one zone.
type scope struct {
	apex, ordinary, listed bool
	failed                 []uint16 // types
}

// told are the types that the views of the zones of s tell apart.
func (s *server) told() []uint16 {
	var types []uint16
	for _, on := range s.sites {
		for _, other := range on.blocks {
			if other.view != nil {
				types = append(types, other.view.Told()...)
			}
		}
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// questions are what the chain of s is asked. What that costs is taken off
// steps; without enough of them s is not judged.
func (s *server) questions(told []uint16, steps *int) ([]uint16, []chain.Probe) {
	types := s.chain.Types(told)
	each := s.chain.Steps() * len(types)
	if each*len(s.zones) > *steps {
		s.skip(overSteps)
		return nil, nil
	}
	probes, few := s.chain.FewProbes(s.zones, each, *steps)
	if !few {
		s.skip(overSteps)
		return nil, nil
	}
	*steps -= each * len(probes)
	return types, probes
}

// fateOf asks the chain of s what becomes of each kind of question.
func (c *config) fateOf(s *server, steps *int) fate {
	var types []uint16
	var probes []chain.Probe
	if !s.opaque {
		types, probes = s.questions(s.told(), steps)
	}
	var f fate
	if !s.opaque {
		f.renamings, f.invalid = c.renamings(s, steps)
	}
	n := len(s.chain.Links)
	flags := make([]bool, 6*n)
	for i, list := range []*[]bool{&f.asked, &f.claimed, &f.through, &f.barred, &f.ends, &f.meant} {
		*list = flags[i*n : (i+1)*n]
	}
	f.stops = make([]map[int]bool, n)
	f.types, f.answer = types, s.any(func(l *chain.Link) bool { return l.MayAnswer(".") })
	if s.opaque {
		return f
	}
	for _, p := range probes {
		for _, t := range p.Types(f.types) {
			q := chain.Question{Name: p.Name, Type: t}
			if !c.comesTo(s, q) {
				continue
			}
			f.note(s, p, q, s.chain.Ask(q, f.asked))
		}
	}
	if s.has("autopath") {
		f.searched(s)
	}
	return f
}

// searched asks for what autopath makes of names: they may be any at all.
func (f *fate) searched(s *server) {
	i := slices.IndexFunc(s.chain.Links, func(l chain.Link) bool { return l.Name == "autopath" })
	for _, p := range s.chain.Probes([]string{"."}) {
		for _, t := range p.Types(f.types) {
			q := chain.Question{Name: p.Name, Type: t}
			s.chain.AskBelow(i, q, f.asked)
		}
	}
}

func (f *fate) note(s *server, p chain.Probe, q chain.Question, out chain.Outcome) {
	var fail failure
	switch out.End {
	case chain.Invalid:
		return // the plugins below are left to the names that come to them
	case chain.NoNext, chain.NoChain:
		fail.how, fail.link = blame(out)
		f.record(fail, p, q)
	case chain.Refused:
		// Of a block for all names this is what an authoritative server does.
		if fail.how, fail.link = refused, out.At; !slices.Contains(s.zones, ".") {
			f.record(fail, p, q)
		}
	case chain.Missed:
		fail.how, fail.link = missed, out.At
		end := out
		for end.End == chain.Missed {
			end = s.chain.AskBelow(end.At, end.Asked, f.through)
		}
		switch end.End {
		case chain.Answered:
			fail.below = []int{end.At}
		case chain.Unknown:
			fail.below = []int{s.open(out.At, out.Asked)}
		}
		f.record(fail, p, q)
		out = end
	}
	if out.At >= 0 {
		f.ends[out.At] = true
	}
	for i := range s.chain.Links {
		f.meant[i] = f.meant[i] || out.Asked.Name != q.Name && s.chain.Links[i].Claims(q)
		if !s.chain.Links[i].Claims(out.Asked) {
			continue
		}
		f.claimed[i] = true
		if out.At >= 0 && out.At < i {
			if f.stops[i] == nil {
				f.stops[i] = make(map[int]bool)
			}
			f.stops[i][out.At] = true
			f.barred[i] = f.barred[i] || s.chain.Links[out.At].Name == "acl"
		}
	}
}

// open returns the first plugin below link i that may have q.
func (s *server) open(i int, q chain.Question) int {
	for i++; i < len(s.chain.Links); i++ {
		l := &s.chain.Links[i]
		if l.MayAnswer(q.Name) && !l.Answers && (len(l.Zones) == 0 || chain.Covered(l.Zones, q.Name)) {
			return i
		}
	}
	return i - 1
}

// blame returns why a question ends with no next plugin.
func blame(out chain.Outcome) (how, int) {
	reasons := map[chain.Why]how{chain.Fallthrough: fellThrough, chain.OtherType: otherType, chain.Excepted: excepted}
	for _, why := range []chain.Why{chain.Fallthrough, chain.Excepted, chain.OtherType} {
		for _, p := range slices.Backward(out.Passed) {
			if p.Why == why {
				return reasons[why], p.Link
			}
		}
	}
	return unclaimed, -1
}

// record adds a question to the failure that it belongs to.
func (f *fate) record(fail failure, p chain.Probe, q chain.Question) {
	i := slices.IndexFunc(f.failures, func(other *failure) bool {
		return other.how == fail.how && other.link == fail.link && (len(other.below) == 0) == (len(fail.below) == 0)
	})
	if i < 0 {
		fail.zones = make(map[string]*scope)
		i = len(f.failures)
		f.failures = append(f.failures, &fail)
	}
	into := f.failures[i]
	for _, b := range fail.below {
		if !slices.Contains(into.below, b) {
			into.below = append(into.below, b)
		}
	}
	sc := into.zones[p.Zone]
	if sc == nil {
		sc = &scope{}
		into.zones[p.Zone] = sc
	}
	if !slices.Contains(sc.failed, q.Type) {
		sc.failed = append(sc.failed, q.Type)
	}
	switch p.Kind {
	case chain.Apex:
		sc.apex = true
	case chain.Ordinary:
		sc.ordinary = true
	case chain.Listed:
		sc.listed = true
	}
}
