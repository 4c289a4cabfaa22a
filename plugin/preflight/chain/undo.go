package chain

import (
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"github.com/coredns/coredns/plugin"
)

// An undo is a change of a question by a rule of rewrite, and what the rule then does with
// the names of the answer.
type undo struct {
	link        int
	rule        *rule
	asked, made string
	before      *undo // the rules that changed the question before
}

// An answerRule changes names in the answer: answer name. The pattern is made when it is
// first asked.
type answerRule struct {
	from    string
	pattern *regexp.Regexp
	to      string
}

// readAnswers is plugin/rewrite/name.go, parseAnswerRules.
func (r *rule) readAnswers(words []string) {
	last, names := "", 0
	for len(words) > 0 {
		if words[0] == "answer" {
			words = words[1:]
		} else if last == "" {
			r.broken = true
			return
		}
		if len(words) == 0 {
			r.broken = true
			return
		}
		last, words = words[0], words[1:]
		switch {
		case last == "auto":
			r.auto = true
			continue
		case last != "name" && last != "value", len(words) < 2:
			r.broken = true
			return
		}
		re, err := parsed(words[0])
		if err != nil || !enough(re.MaxCap(), words[1]) {
			r.broken = true
			return
		}
		if last == "name" {
			r.names = append(r.names, answerRule{from: words[0], to: plugin.Name(words[1]).Normalize()})
			names++
		}
		words = words[2:]
	}
	if r.auto && names > 0 && r.match != "exact" {
		r.broken = true
	}
}

// enough reports whether a pattern with so many groups has as many as to speaks of (plugin/rewrite/name.go,
// isValidRegexPattern).
func enough(groups int, to string) bool {
	const most = 100
	var used [most + 1]bool
	n := 0
	for _, part := range strings.Split(to, "{")[1:] {
		number, _, closed := strings.Cut(part, "}")
		if i, err := strconv.Atoi(number); closed && err == nil && i >= 0 && i <= most && strconv.Itoa(i) == number && !used[i] {
			used[i] = true
			n++
		}
	}
	return n <= groups
}

// fill writes groups of a pattern into to.
func fill(to string, groups []string) string {
	for i, g := range groups {
		to = strings.ReplaceAll(to, "{"+strconv.Itoa(i)+"}", g)
	}
	return to
}

// restore returns the name that the rule makes of one in the answer (plugin/rewrite, the
// RewriteResponse of its rules, the last of them first).
func (u *undo) restore(name string) string {
	r := u.rule
	for i := range slices.Backward(r.names) {
		a := &r.names[i]
		if a.pattern == nil {
			a.pattern, _ = r.shared.compiled(a.from) // it was parsed
		}
		if groups := a.pattern.FindStringSubmatch(name); groups != nil {
			name = fill(a.to, groups)
		}
	}
	switch {
	case !r.auto:
	case r.match == "suffix":
		if before, ok := strings.CutSuffix(name, r.to); ok {
			return before + r.from
		}
	case name == u.made:
		return u.asked
	case strings.HasSuffix(name, "."+u.made):
		return strings.TrimSuffix(name, u.made) + u.asked
	}
	return name
}

// restores reports whether the rule gives the names back that it changed.
func (u *undo) restores() bool { return strings.EqualFold(u.restore(u.made), u.asked) }

// givesBack reports whether the rule gives some of the names under zones back that it is
// for: an answer may be meant for these alone.
func (r *rule) givesBack(zones, listed []string) bool {
	tries := 0
	for name, made := range r.samples(zones, listed) {
		if tries++; tries > maxTries || (&undo{rule: r, asked: name, made: made}).restores() {
			return true
		}
	}
	return false
}

// Owner is the name that clients see in records of the name of q, after rewrite.
func (q Question) Owner() string {
	name := q.Name
	for u := q.undo; u != nil; u = u.before {
		name = strings.ToLower(u.restore(name))
	}
	return name
}

// OneWay are the links of rewrite that changed q and do not give the name back.
func (q Question) OneWay() []int {
	var links []int
	for u := q.undo; u != nil; u = u.before {
		if !u.restores() {
			links = append(links, u.link)
		}
	}
	return links
}

// HasAnswerNames reports whether l is a rule of rewrite with answer name.
func (l *Link) HasAnswerNames() bool { return l.rewrite != nil && len(l.rewrite.names) > 0 }

// Continued reports whether a rule of rewrite above link i changes names and goes on to
// link i, whose answer may then be for the names before.
func (c *Chain) Continued(i int) bool {
	return slices.ContainsFunc(c.Links[:i], func(l Link) bool {
		return l.rewrite != nil && l.rewrite.field == "name" && l.rewrite.next
	})
}

// legal reports whether CoreDNS goes on with a name that rewrite made.
func legal(name string) bool {
	_, ok := dns.IsDomainName(name)
	return ok
}

// maxTries is for how many of its names a rule is tried alone.
const maxTries = 64

// Illegal yields names under zones of which a rule of rewrite makes what is no name, and
// that. It has none of the zones themselves.
func (l *Link) Illegal(zones, listed []string) iter.Seq2[string, string] {
	return func(yield func(from, to string) bool) {
		r := l.rewrite
		if r == nil || !r.renames() {
			return
		}
		tries := 0
		for name, made := range r.samples(zones, listed) {
			if tries++; tries > maxTries {
				return
			}
			if !legal(made) && (r.match == "exact" || !slices.Contains(zones, name)) && !yield(name, made) {
				return
			}
		}
	}
}

// Repaired is the rule as it should be written so that what it makes of name is a name,
// and is given back in the answer. It is "" if that cannot be told.
func (l *Link) Repaired(name string) string {
	r := *l.rewrite
	r.needed = "" // as patterns are other ones
	from, to := r.from, r.to
	froms := []string{from}
	if r.match == "regex" {
		from, to = r.from, strings.TrimSuffix(r.to, ".")
		froms = []string{from, strings.TrimSuffix(strings.TrimSuffix(from, "$"), `\.`) + "[.]$"}
	}
	for strings.Contains(to, "..") {
		to = strings.ReplaceAll(to, "..", ".")
	}
	for _, from := range froms {
		if r.match == "regex" {
			if r.pattern, _ = compiled(from); r.pattern == nil {
				continue
			}
		}
		for _, to := range []string{to, strings.TrimPrefix(to, ".")} {
			r.to, r.last = plugin.Name(to).Normalize(), applied{}
			made, ok := r.apply(name)
			if !ok || !legal(made) {
				continue
			}
			rule := "name " + r.match + " " + from + " " + to
			if !(&undo{rule: &r, asked: name, made: made}).restores() || r.auto && r.match != "exact" {
				rule += " answer auto"
			}
			return rule
		}
	}
	return ""
}
