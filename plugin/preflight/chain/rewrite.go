package chain

import (
	"iter"
	"regexp"
	"slices"
	"strings"

	"github.com/coredns/coredns/plugin"
)

// A rule is one rule of rewrite.
type rule struct {
	field     string         // name, type, rcode, ...
	next      bool           // continue
	match     string         // exact, prefix, suffix, substring, regex
	from, to  string         // from is the pattern of a rule by regex
	captures  int            // groups of the pattern
	needed    string         // stands in all that the pattern matches
	pattern   *regexp.Regexp // of from, made when it is first asked
	last      applied        // what the pattern has made, as names are often asked again at once
	shared    *Shared
	auto      bool // answer auto
	names     []answerRule
	metadata  bool
	broken    bool // CoreDNS does not start with it
	opaque    bool // may ask for any name
	sampled   string
	servfails bool // of field rcode: from SERVFAIL
}

var matches = map[string]bool{"exact": true, "prefix": true, "suffix": true, "substring": true, "regex": true}

// prepareRewrite is plugin/rewrite/setup.go, rewriteParse, and newRule.
func prepareRewrite(l *Link) {
	args := l.Args()
	if len(args) < 2 {
		args = slices.Clone(args)
		for _, line := range l.Lines[min(1, len(l.Lines)):] {
			args = append(args, line...)
		}
	}
	r := &rule{}
	l.rewrite = r
	if len(args) > 0 && (strings.EqualFold(args[0], "continue") || strings.EqualFold(args[0], "stop")) {
		r.next = strings.EqualFold(args[0], "continue")
		args = args[1:]
	}
	if len(args) < 3 {
		r.broken = true
		return
	}
	r.field = strings.ToLower(args[0])
	args = args[1:]
	switch r.field {
	case "name":
		r.readName(args)
	case "type", "class":
		r.from, r.to = args[0], args[1]
	case "rcode", "ttl":
		r.match = "exact"
		if matches[strings.ToLower(args[0])] && len(args) > 2 {
			r.match, args = strings.ToLower(args[0]), args[1:]
		}
		r.readFrom(args[0])
		r.servfails = r.field == "rcode" && len(args) > 1 && (strings.EqualFold(args[1], "SERVFAIL") || args[1] == "2")
	}
}

func (r *rule) readName(args []string) {
	r.match = "exact"
	rest := args[2:]
	if len(args) > 2 {
		r.match, args, rest = strings.ToLower(args[0]), args[1:], args[3:]
	}
	if !matches[r.match] {
		r.broken = true
		return
	}
	r.opaque = !r.readFrom(args[0])
	r.to = plugin.Name(args[1]).Normalize()
	r.auto = r.match == "exact"
	if len(rest) > 0 && rest[0] == "metadata" {
		r.metadata, r.opaque, rest = true, true, rest[1:]
	}
	r.readAnswers(rest)
	r.broken = r.broken || r.match == "regex" && !r.metadata && !enough(r.captures, args[1])
}

// readFrom reads the names that a rule is for, and reports whether one of them can be
// told. It compiles no pattern: of many rules most are never asked.
func (r *rule) readFrom(from string) bool {
	if r.match != "regex" {
		r.from = plugin.Name(from).Normalize()
		return true
	}
	r.from = from
	re, err := parsed(from)
	if err != nil {
		r.broken = true
		return true
	}
	r.captures, r.needed = re.MaxCap(), neededBy(re)
	var ok bool
	r.sampled, ok = sampleOf(re)
	return ok
}

// apply returns the name that the rule makes of name.
func (r *rule) apply(name string) (renamed string, ok bool) {
	switch r.match {
	case "exact":
		return r.to, name == r.from
	case "prefix":
		rest, ok := strings.CutPrefix(name, r.from)
		return r.to + rest, ok
	case "suffix":
		rest, ok := strings.CutSuffix(name, r.from)
		return rest + r.to, ok
	case "substring":
		return strings.ReplaceAll(name, r.from, r.to), strings.Contains(name, r.from)
	}
	if r.last.name != name || name == "" {
		groups := r.groups(name)
		r.last = applied{name, fill(r.to, groups), len(groups) > 0}
	}
	return r.last.made, r.last.ok
}

// applied is what a rule makes of a name.
type applied struct {
	name, made string
	ok         bool
}

// meetRewrite is one rule of plugin/rewrite/rewrite.go, ServeDNS.
func meetRewrite(c *Chain, i int, q *Question) step {
	r := c.Links[i].rewrite
	if q.rewritten {
		return pass
	}
	if r.broken {
		return maybe
	}
	done := false
	switch r.field {
	case "name":
		if renamed, ok := r.apply(q.Name); ok {
			if r.metadata {
				return maybe
			}
			if !legal(renamed) {
				return invalid
			}
			renamed = strings.ToLower(renamed)
			q.undo = &undo{i, r, q.Name, renamed, q.undo}
			q.Name, q.named, done = renamed, r.match == "exact", true
		}
	case "type":
		if from, to := typeNamed(r.from), typeNamed(r.to); from == q.Type && to != 0 {
			q.Type, done = to, true
		}
	case "class":
		if strings.EqualFold(r.from, "IN") {
			return maybe // what plugins do with other classes is not told
		}
	case "rcode", "ttl":
		_, done = r.apply(q.Name)
		q.recoded = q.recoded || done && r.servfails
	case "edns0", "cname":
		done = true
	}
	q.rewritten = done && !r.next
	return pass
}

// Renamed yields names under zones that a rule of rewrite is for and what it makes of
// them, if the answer then has another owner, and names of which it makes one that is
// listed. It has none for other plugins, for rules that give any name back, and where no
// such name can be told.
func (l *Link) Renamed(zones, listed []string) iter.Seq2[string, string] {
	return func(yield func(from, to string) bool) {
		r := l.rewrite
		if r == nil || !r.renames() || r.auto && len(r.names) == 0 {
			return
		}
		if len(r.names) > 0 && r.givesBack(zones, listed) {
			return
		}
		for name, renamed := range r.samples(zones, listed) {
			if !yield(name, strings.ToLower(renamed)) {
				return
			}
		}
	}
}

// Spoken returns zones and those within that plugins of c speak of, at most that many,
// and the names that a hosts lists.
func (c *Chain) Spoken(zones []string, most int) (all, listed []string) {
	all = slices.Clone(zones)
	for i := range c.Links {
		l := &c.Links[i]
		listed = append(listed, l.Entries()...)
		more := l.Zones
		if l.template != nil {
			more = slices.Concat(more, l.template.around())
		}
		for _, z := range more {
			if len(all) < most && Covered(zones, z) && !slices.Contains(all, z) {
				all = append(all, z)
			}
		}
	}
	return all, listed
}

// renames reports whether the rule makes other names, and it can be told which.
func (r *rule) renames() bool { return r.field == "name" && !r.broken && !r.metadata }

// Sample is a name under zones that a rule of rewrite is for, "" if none can be told.
func (l *Link) Sample(zones []string) string {
	if r := l.rewrite; r != nil && r.renames() {
		for name := range r.samples(zones, nil) {
			return name
		}
	}
	return ""
}

// groups returns what the pattern of a rule finds in name, nil if it finds nothing.
func (r *rule) groups(name string) []string {
	if !strings.Contains(name, r.needed) {
		return nil
	}
	if r.pattern == nil {
		var err error
		if r.pattern, err = r.shared.compiled(r.from); err != nil {
			r.broken = true
			return nil
		}
	}
	return r.pattern.FindStringSubmatch(name)
}
