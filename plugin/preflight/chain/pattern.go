package chain

import (
	"regexp"
	"regexp/syntax"
)

// maxRegexp is the longest pattern that CoreDNS takes.
const maxRegexp = 10000

// short is the pattern, or one that is an error in place of one that CoreDNS does not take.
func short(pattern string) string {
	if len(pattern) > maxRegexp {
		return "("
	}
	return pattern
}

func compiled(pattern string) (*regexp.Regexp, error) { return regexp.Compile(short(pattern)) }

// parsed has an error if compiled has one.
func parsed(pattern string) (*syntax.Regexp, error) {
	return syntax.Parse(short(pattern), syntax.Perl)
}

// groups returns what the pattern of a rule finds in name, nil if it finds nothing.
func (r *rule) groups(name string) []string {
	if r.pattern == nil {
		var err error
		if r.pattern, err = compiled(r.from); err != nil {
			r.broken = true
			return nil
		}
	}
	return r.pattern.FindStringSubmatch(name)
}
