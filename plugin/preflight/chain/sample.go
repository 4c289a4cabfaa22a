package chain

import (
	"iter"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"github.com/miekg/dns"
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

// maxSample is how long a sample of a pattern may become, in octets.
const maxSample = 200

// sampleOf returns a name that a pattern matches, without the final dot if the
// pattern does not ask for one. ok is false if none was found.
func sampleOf(re *syntax.Regexp) (name string, ok bool) {
	var b strings.Builder
	write(&b, re.Simplify(), 0)
	name = strings.ToLower(b.String())
	if name == "" {
		name = "host"
	}
	_, legal := dns.IsDomainName(name)
	return name, legal && len(name) <= maxSample && !strings.HasPrefix(name, ".")
}

// write appends what re matches, the shortest that is still a label.
func write(b *strings.Builder, re *syntax.Regexp, depth int) {
	if b.Len() > maxSample || depth > 100 {
		return
	}
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		b.WriteRune(fromClass(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('x')
	case syntax.OpStar, syntax.OpPlus, syntax.OpCapture:
		write(b, re.Sub[0], depth+1)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if sub.Op == syntax.OpAnyCharNotNL && b.Len() > 0 && !strings.HasSuffix(b.String(), ".") {
				b.WriteByte('.') // of a name, as its pattern was written
				continue
			}
			write(b, sub, depth+1)
		}
	case syntax.OpAlternate:
		write(b, re.Sub[0], depth+1)
	}
}

// fromClass returns a letter of a class, else a digit, else its first rune.
func fromClass(ranges []rune) rune {
	for _, wanted := range "ax1-" {
		for i := 0; i+1 < len(ranges); i += 2 {
			if ranges[i] <= wanted && wanted <= ranges[i+1] {
				return wanted
			}
		}
	}
	if len(ranges) == 0 {
		return 'x'
	}
	return ranges[0]
}

// neededBy returns a part of all that a pattern matches, the longest that is easily seen, ""
// if there is none.
func neededBy(re *syntax.Regexp) (part string) {
	switch re.Op {
	case syntax.OpLiteral:
		text := string(re.Rune)
		// U+FFFD stands for any octet that is no character, too.
		if re.Flags&syntax.FoldCase == 0 && !strings.ContainsRune(text, utf8.RuneError) {
			return text
		}
	case syntax.OpCapture, syntax.OpPlus:
		return neededBy(re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if more := neededBy(sub); len(more) > len(part) {
				part = more
			}
		}
	}
	return part
}

// service is the first part of the name of a Service of Kubernetes.
const service = "web.prod.svc."

// usual are the first parts of names that clients ask for.
var usual = []string{"host.", "www.", "host-7.", service, ""}

// samples yields names under zones that a rule of rewrite is for, with what it makes of
// them, those first that it names itself, those last of which it makes a listed one. In
// reverse zones people ask for addresses only.
func (r *rule) samples(zones, listed []string) iter.Seq2[string, string] {
	return func(yield func(name, made string) bool) {
		served := newZoneSet(zones)
		try := func(name string) (more bool) {
			if !strings.Contains(name, r.needed) {
				return true
			}
			_, legal := dns.IsDomainName(name)
			if !legal || name == "" || r.match != "exact" && odd(name) || r.match != "exact" && strings.HasSuffix(name, ".arpa.") || strings.HasPrefix(name, ".") || !served.has(name) {
				return true
			}
			made, matched := r.apply(name)
			return !matched || yield(name, made)
		}
		if r.match == "exact" {
			try(r.from)
			return
		}
		own, end := r.parts()
		for _, first := range own {
			if !try(first) {
				return
			}
		}
		own = append(own, usual...)
		for _, z := range append([]string{end}, zones...) {
			for _, first := range own {
				if z != "" && !try(first+strings.TrimPrefix(z, ".")) {
					return
				}
			}
		}
		for _, name := range listed {
			if !try(r.origin(strings.Replace(name, "*.", usual[0], 1))) {
				return
			}
		}
	}
}

// odd reports whether a label of name begins or ends with a hyphen, as in no name of a
// host (RFC 1123 section 2.1). CoreDNS adds a dot to what a rule of rewrite compares
// with: a prefix `old-` is for such names alone.
func odd(name string) bool {
	return strings.HasPrefix(name, "-") || strings.Contains(name, ".-") || strings.Contains(name, "-.")
}

// parts returns what stands in the names that a rule is for: first parts, and the end
// of all of them if it gives one.
func (r *rule) parts() (own []string, end string) {
	bare := strings.Trim(r.from, ".") + "."
	if strings.HasPrefix(bare, "-") { // it is a part of a label
		bare = "web" + bare
	}
	switch r.match {
	case "prefix":
		own = []string{r.from, r.from + service}
	case "suffix":
		return nil, bare
	case "substring":
		own = []string{bare, usual[0] + bare, "web.prod." + bare + "svc."}
	case "regex":
		own = []string{dns.Fqdn(r.sampled)}
		if len(r.sampled) > 2 && r.sampled[1] == '.' {
			own = append(own, dns.Fqdn("web.prod."+r.sampled[2:]))
		}
	}
	return own, ""
}

// origin returns a name of which the rule makes name, "" if it cannot be told.
func (r *rule) origin(name string) string {
	switch r.match {
	case "prefix":
		if rest, ok := strings.CutPrefix(name, r.to); ok {
			return r.from + rest
		}
	case "suffix":
		if rest, ok := strings.CutSuffix(name, r.to); ok {
			return rest + r.from
		}
	case "substring":
		if i := strings.Index(name, r.to); i >= 0 {
			return name[:i] + r.from + name[i+len(r.to):]
		}
	}
	return ""
}

// MayMake reports whether rewrite may make a name in zones of another one.
func (l *Link) MayMake(zones []string) bool {
	r := l.rewrite
	switch {
	case r == nil || r.field != "name":
		return false
	case r.broken || r.metadata:
		return true
	case r.match == "exact":
		return Covered(zones, r.to)
	case r.match == "suffix":
		return Overlapping(zones, strings.TrimPrefix(r.to, "."))
	}
	return true
}

// MayName reports whether rewrite may make name of another one.
func (l *Link) MayName(name string) bool {
	r := l.rewrite
	switch {
	case r == nil || r.field != "name":
		return false
	case r.broken || r.metadata:
		return true
	}
	switch r.match {
	case "exact":
		return name == r.to
	case "prefix":
		return strings.HasPrefix(name, r.to)
	case "suffix":
		return strings.HasSuffix(name, r.to)
	case "substring":
		return strings.Contains(name, r.to)
	}
	return strings.HasSuffix(name, r.to[strings.LastIndex(r.to, "}")+1:])
}
