package preflight

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/chain"
	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/directive"
	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/spelling"
)

// autopathSource returns the plugin that an autopath gets its search path from,
// as in "autopath @kubernetes".
func (s *server) autopathSource() (l *chain.Link, source string, found bool) {
	l, ok := s.find("autopath")
	if args := l.Args(); ok && len(args) > 0 {
		source, found = strings.CutPrefix(args[len(args)-1], "@")
	}
	return l, source, found
}

// findLoneAutopath: autopath looks for its source among the handlers of its own
// block and does nothing, without a word, if it is not there
// (plugin/autopath/setup.go).
func findLoneAutopath(_ *config, s *server) []finding {
	l, source, ok := s.autopathSource()
	if !ok || s.opaque || s.has(source) {
		return nil
	}
	return []finding{at(l.Directive, listed(source))}
}

// findUnverifiedAutopath: kubernetes knows a client's namespace only if it
// watches pods (plugin/kubernetes/autopath.go).
func findUnverifiedAutopath(_ *config, s *server) []finding {
	k, here := s.find("kubernetes")
	_, source, ok := s.autopathSource()
	mode, _ := k.Option("pods")
	if !here || !ok || source != "kubernetes" || slices.Equal(mode, []string{"verified"}) {
		return nil
	}
	return []finding{at(k.Directive)}
}

// findStrandedAutopath: the name without search domains, last in autopath's
// list, is any name at all, and is looked for in this chain, not in the block
// that serves it.
func findStrandedAutopath(_ *config, s *server) []finding {
	l, source, named := s.autopathSource()
	inert := named && !s.has(source)
	if !s.has("autopath") || s.deadEnd() || inert || s.opaque || s.has("rewrite") || s.has("view") {
		return nil
	}
	// file's REFUSED is no error: autopath then gives the first answer.
	if s.outcome(strange).End != chain.NoNext {
		return nil
	}
	return []finding{at(l.Directive)}
}

// strange is a name that no Corefile has.
const strange = "nowhere.invalid."

func (s *server) outcome(name string) chain.Outcome {
	return s.chain.Ask(chain.Question{Name: name, Type: dns.TypeA}, nil)
}

// deadEnd reports whether some names find no plugin in s at all.
func (s *server) deadEnd() bool {
	return slices.ContainsFunc(s.fate.failures, func(f *failure) bool { return f.how == unclaimed })
}

// findBypassedBlocks: likewise, a name that another block serves goes through
// this chain when a client asks for it with its search path.
func findBypassedBlocks(_ *config, s *server) []finding {
	l, source, ok := s.autopathSource()
	k, here := s.find(source)
	if !ok || !here || source != "kubernetes" || !s.asksOthers() {
		return nil
	}
	other := s.neighbours(k.Zones)
	if len(other) == 0 {
		return nil
	}
	return []finding{at(l.Directive, listed(other...))}
}

// neighbours returns the zones that other blocks on the ports of s forward, but
// for reverse ones and those in except, and those that s sends somewhere itself.
// Of many it returns the first few.
func (s *server) neighbours(except []string) []string {
	if s.opaque {
		return nil
	}
	var zones []string
	for _, p := range s.services {
		for _, f := range p.forwards() {
			if len(zones) == maxShownZones {
				break
			}
			if f.by == s || chain.Overlapping(except, f.zone) || s.singlesOut(f.zone) {
				continue
			}
			if from := s.asks(f.zone); from == "" || from != f.by.asks(f.zone) {
				zones = append(zones, f.zone)
			}
		}
	}
	slices.Sort(zones)
	return slices.Compact(zones)
}

// maxShownZones is more than a warning names.
const maxShownZones = 16

// A forwarded is a zone that a block forwards.
type forwarded struct {
	zone string
	by   *server
}

// forwards returns the zones that blocks without a view forward on p, at most
// maxForwarded, without "." and reverse ones.
func (p *service) forwards() []forwarded {
	if p.looked {
		return p.forwarded
	}
	p.looked = true
	for _, s := range p.blocks {
		if !s.asksOthers() || s.has("view") {
			continue
		}
		for _, z := range s.zonesOn(p.port) {
			if z != "." && !strings.HasSuffix(z, ".arpa.") && len(p.forwarded) < maxForwarded {
				p.forwarded = append(p.forwarded, forwarded{z, s})
			}
		}
	}
	return p.forwarded
}

// maxForwarded is how many zones of other blocks are looked at for an autopath.
const maxForwarded = 256

// asks returns the upstreams that s asks for names under zone, in one order, ""
// if it does not forward them.
func (s *server) asks(zone string) string {
	out := s.outcome("nowhere." + zone)
	if out.End != chain.Answered || !s.chain.Links[out.At].Forwards() {
		return ""
	}
	to := slices.Clone(upstreams(&s.chain.Links[out.At]))
	for i, t := range to {
		if p, addr, ok := endpoint(t); ok {
			to[i] = p.transport + "://" + addr.String() + " " + p.number
		}
	}
	slices.Sort(to)
	return strings.Join(slices.Compact(to), ", ")
}

// singlesOut reports whether s treats zone otherwise than all names.
func (s *server) singlesOut(zone string) bool {
	return s.any(func(l *chain.Link) bool { return l.MayAnswer(zone) && !chain.Covered(l.Zones, ".") })
}

func findLowEDE(c *config, s *server) []finding {
	place := slices.Index(c.order, "ede")
	e, ok := s.find("ede")
	if place < 0 || !ok {
		return nil
	}
	var above []string
	for i := range s.chain.Links { // in the order of the build
		name := s.chain.Links[i].Name
		if name == "ede" {
			break
		}
		if chain.Known(name) && !slices.Contains(directive.AboveEDE, name) && !slices.Contains(above, name) {
			above = append(above, name)
		}
	}
	if len(above) == 0 {
		return nil
	}
	return []finding{at(e.Directive, listed(above...))}
}

// findIdleEDE looks at ede where it sees questions as the client asks them.
func findIdleEDE(c *config, s *server) []finding {
	e, ok := s.find("ede")
	if !ok || len(findLowEDE(c, s)) > 0 {
		return nil
	}
	zones := chain.ZonesOf(e.Args(), s.zones)
	if slices.ContainsFunc(zones, func(z string) bool { return chain.Overlapping(s.zones, z) }) {
		return nil
	}
	return []finding{at(e.Directive, listed(e.Args()...))}
}

// maxMisread is how many such lines of one hosts, or of its file, are told.
const maxMisread = 8

// findMisreadLines looks for lines of a hosts that CoreDNS passes over without a word, in
// the Corefile and in the file that it names.
func findMisreadLines(c *config, s *server) []finding {
	var all []finding
	tell := func(m chain.Misread) {
		property := spelling.Property(m.Words, chain.HostsProperties)
		if property == "" && len(m.Words) < 2 || strings.HasPrefix(property, "fallthrough") || directive.CommentSign(m.Words[0]) != "" {
			return // hosts-without-fallthrough tells; what is no comment does no harm
		}
		found := finding{file: m.File, line: m.Line, args: []any{listed(strings.Join(m.Words, " "))}, certain: true}
		found.text = "hosts passes over the line %s without a word: it does not begin with an address"
		found.fix = "write the address, and behind it the names"
		if a, names := m.Meant(); a != "" && len(names) > 0 {
			found.fix = "write `" + Printable(a+" "+strings.Join(names, " ")) + "`"
			for _, name := range names {
				found.names = append(found.names, plugin.Name(name).Normalize())
			}
		} else if property != "" {
			found.fix = "write `" + Printable(property) + "`"
		}
		all = append(all, found)
	}
	for i := range s.chain.Links {
		l := &s.chain.Links[i]
		if l.Name != "hosts" || len(all) > maxMisread {
			continue
		}
		misread := l.Misread(maxMisread)
		if args := l.Args(); len(args) > 0 && (filepath.IsAbs(args[0]) || !s.has("root")) {
			misread = append(misread, c.hostsFiles.Misread(args[0], maxMisread)...)
		}
		for _, m := range misread {
			tell(m)
		}
	}
	return all
}
