package chain

import (
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// maxSample is how long a sample of a pattern may become, in octets.
const maxSample = 200

// sampleOf returns a name that a pattern matches, without the final dot if the
// pattern does not ask for one. ok is false if none was found.
func sampleOf(pattern string) (name string, ok bool) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", false
	}
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

// service is the first part of the name of a Service of Kubernetes.
const service = "web.prod.svc."

// samples are names under zones that a rule of rewrite may be for. In reverse
// zones people ask for addresses only.
func (r *rule) samples(zones []string) []string {
	var names []string
	served := newZoneSet(zones)
	if r.match == "exact" || r.match == "suffix" {
		zones = zones[:min(1, len(zones))] // these speak of no zone but their own
	}
	for _, z := range zones {
		suffix := "." + strings.TrimPrefix(z, ".")
		switch r.match {
		case "exact":
			names = append(names, r.from)
		case "suffix":
			for _, label := range []string{"host.", "www.", "host-7.", service} {
				names = append(names, label+strings.TrimPrefix(r.from, "."))
			}
			names = append(names, r.from)
		case "prefix":
			names = append(names, strings.TrimSuffix(r.from, ".")+suffix, r.from+strings.TrimPrefix(suffix, "."), r.from,
				r.from+service+strings.TrimPrefix(suffix, "."))
		case "substring":
			names = append(names, r.from, "host."+r.from, "host."+strings.Trim(r.from, ".")+suffix, strings.TrimSuffix(r.from, ".")+suffix,
				"web.prod."+strings.Trim(r.from, ".")+".svc"+suffix)
		case "regex":
			names = append(names, dns.Fqdn(r.sampled), strings.TrimSuffix(r.sampled, ".")+suffix)
		}
	}
	return slices.DeleteFunc(names, func(name string) bool {
		_, legal := dns.IsDomainName(name)
		return !legal || r.match != "exact" && strings.HasSuffix(name, ".arpa.") || strings.HasPrefix(name, ".") || !served.has(name)
	})
}
