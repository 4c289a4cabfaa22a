package check

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight"
	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/corefile"
)

// A custom is a key of a ConfigMap that the Corefile imports, such as
// log.override or example.server.
type custom struct {
	key    string
	source source
}

// has reports whether a warning stands in it.
func (c custom) has(w preflight.Warning) bool {
	return w.File == c.source.name && c.source.line < w.Line && w.Line <= c.last()
}

// last is the line of its file that it ends in, or the one below.
func (c custom) last() int { return c.source.line + 1 + strings.Count(c.source.text, "\n") }

// sources joins the Corefiles with what they import. Without a Corefile that
// imports them, what a cluster's operator may add stands in the default ones.
func (c *collection) sources() []source {
	alone := slices.Clone(c.customs) // without a Corefile
	for i := range c.corefiles {
		f := &c.corefiles[i]
		if !importing.MatchString(f.text) {
			continue
		}
		for _, custom := range c.customs {
			if custom.source.sharesNamespace(*f) {
				f.custom = append(f.custom, custom)
			}
		}
		alone = slices.DeleteFunc(alone, func(custom custom) bool { return custom.source.sharesNamespace(*f) })
	}
	all := c.corefiles
	for len(alone) > 0 {
		s := source{name: c.name + " (default Corefile)", text: corefileOfK3s, other: corefileOfAKS}
		first := alone[0].source
		for _, custom := range alone {
			if custom.source.sharesNamespace(first) {
				s.custom = append(s.custom, custom)
			}
		}
		alone = slices.DeleteFunc(alone, func(custom custom) bool { return custom.source.sharesNamespace(first) })
		for _, custom := range s.custom {
			s.line = max(s.line, custom.last()) // it has no line that the operator has
		}
		all = append(all, s)
	}
	return all
}

// sharesNamespace reports whether two sources may be of one namespace.
func (s source) sharesNamespace(other source) bool {
	return s.namespace == other.namespace || s.namespace == "" || other.namespace == ""
}

// The Corefiles of clusters whose operator may only add to them. In that of k3s
// (manifests/coredns.yaml of its repository) an override stands above the forward, and
// may take its place. In that of AKS and others it stands below.
const (
	corefileOfK3s = `.:53 {
    errors
    health
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    hosts /etc/coredns/NodeHosts {
        ttl 60
        reload 15s
        fallthrough
    }
    prometheus :9153
    cache 30
    loop
    reload
    loadbalance
    import custom/*.override
    forward . /etc/resolv.conf
}
import custom/*.server
`
	corefileOfAKS = `.:53 {
    errors
    ready
    health
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
    import custom/*.override
}
import custom/*.server
`
)

// compared is s with its other text, or with nothing in what it imports.
func (s source) compared() source {
	if s.other != "" {
		s.text = s.other
		return s
	}
	s.custom = slices.Clone(s.custom)
	for i := range s.custom {
		s.custom[i].source.text = ""
	}
	return s
}

// judgeCustom judges what stands in a ConfigMap of its own. What only its parts make of
// the Corefile that imports them is meant: an override may replace a plugin of that
// Corefile. In a default Corefile, of which it is not known which one it is, a mistake is
// what is wrong in each of them, at a line that the operator has.
func (o options) judgeCustom(s source) (result, error) {
	for _, c := range s.custom { // what stands below such a part is not read as it is meant
		if err := corefile.CheckBraces(c.source.name, c.source.line, []byte(c.source.text)); err != nil {
			return result{}, err
		}
	}
	r, err := o.judge(s)
	if err != nil {
		return r, err
	}
	base, err := o.judge(s.compared())
	if err != nil {
		return r, err
	}
	r.warnings = slices.DeleteFunc(r.warnings, func(w preflight.Warning) bool {
		own := slices.ContainsFunc(s.custom, func(c custom) bool { return c.has(w) })
		both := slices.ContainsFunc(base.warnings, func(b preflight.Warning) bool {
			return b.Code == w.Code && b.File == w.File && b.Line == w.Line
		})
		if s.other != "" {
			return !own || !both
		}
		return w.Code == preflight.NeverAsked && !own && !both
	})
	if s.other != "" {
		for i := range r.warnings {
			s.forParts(&r.warnings[i])
		}
	}
	return r, nil
}

// lineNumber is how a warning names a line of another place.
var lineNumber = regexp.MustCompile(`\bline ([0-9]+)\b`)

// forParts puts a warning into words for somebody who can only add parts to the Corefile of
// a cluster: it names no line of that Corefile, which stand below those of the file, and says
// in which part to write what.
func (s source) forParts(w *preflight.Warning) {
	var foreign bool
	if w.Fix, foreign = s.withoutLines(w.Fix); foreign {
		w.Fix = cmp.Or(partFixes[w.Code], w.Fix)
	}
	if w.Text, foreign = s.withoutLines(w.Text); foreign {
		w.Fix = cmp.Or(partFixes[w.Code], w.Fix)
	}
}

// partFixes are what to do where the Corefile of the cluster has a say.
var partFixes = map[string]string{
	"hosts-entry-unused": "write these names in a `hosts` of a block for their own zone, for example `example.org:53`, in a key that ends in `.server`",
	"zone-twice":         "write what this block adds in a key that ends in `.override`, without a block around it, or give this block another zone",
	"plugin-twice":       "remove it, or write it in a block for the names that it is meant for, in a key that ends in `.server`",
	preflight.NeverAsked: "write a block for the names that it is meant for in a key that ends in `.server`, or remove it",
}

// withoutLines writes in place of a line of a default Corefile whose it is. foreign is true if
// there was one.
func (s source) withoutLines(text string) (words string, foreign bool) {
	text = strings.ReplaceAll(text, " of "+preflight.Printable(s.name), "")
	text = lineNumber.ReplaceAllStringFunc(text, func(found string) string {
		line, err := strconv.Atoi(strings.TrimPrefix(found, "line "))
		if err != nil || line <= s.line {
			return found
		}
		foreign = true
		return "the Corefile of the cluster"
	})
	return text, foreign
}
