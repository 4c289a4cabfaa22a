package preflight

import (
	"slices"
	"strings"
)

// autopathSource returns the plugin that an autopath gets its search path from,
// as in "autopath @kubernetes".
func (s *server) autopathSource() (l link, source string, found bool) {
	l, ok := s.find("autopath")
	if args := l.args(); ok && len(args) > 0 {
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
	return []finding{l.finding(listed(source))}
}

// findUnverifiedAutopath: kubernetes knows a client's namespace only if it
// watches pods (plugin/kubernetes/autopath.go).
func findUnverifiedAutopath(_ *config, s *server) []finding {
	k, here := s.find("kubernetes")
	_, source, ok := s.autopathSource()
	mode, _ := k.option("pods")
	if !here || !ok || source != "kubernetes" || slices.Equal(mode, []string{"verified"}) {
		return nil
	}
	return []finding{k.finding()}
}

// findStrandedAutopath: the name without search domains, last in autopath's
// list, is any name at all, and is looked for in this chain, not in the block
// that serves it.
func findStrandedAutopath(_ *config, s *server) []finding {
	l, source, named := s.autopathSource()
	_, dead := s.deadEnd()
	inert := named && !s.has(source)
	if !s.has("autopath") || dead || inert || s.has("rewrite") || s.has("view") || s.authority() {
		return nil // file's REFUSED is no error: autopath then gives the first answer
	}
	if slices.ContainsFunc(s.chain, func(l link) bool { return l.covers(".") }) {
		return nil
	}
	return []finding{l.finding()}
}

// findBypassedBlocks: likewise, a name that another block serves goes through
// this chain when a client asks for it with its search path.
func findBypassedBlocks(c *config, s *server) []finding {
	l, source, ok := s.autopathSource()
	k, here := s.find(source)
	if !ok || !here || source != "kubernetes" || !s.forwards() {
		return nil
	}
	other := c.neighbours(s, k.zones)
	if len(other) == 0 {
		return nil
	}
	return []finding{l.finding(listed(other...))}
}

// neighbours returns the zones that other blocks on the ports of s forward, but
// for reverse ones and those in except, and those that s sends somewhere itself.
func (c *config) neighbours(s *server, except []string) []string {
	var zones []string
	for p := range s.ports() {
		for _, other := range c.byPort[p] {
			if other == s || !other.forwards() || other.has("view") {
				continue
			}
			for _, z := range other.zonesOn(p) {
				if z != "." && !strings.HasSuffix(z, ".arpa.") && !overlapping(except, z) && !s.singlesOut(z) {
					zones = append(zones, z)
				}
			}
		}
	}
	slices.Sort(zones)
	return slices.Compact(zones)
}

// singlesOut reports whether s treats zone otherwise than all names.
func (s *server) singlesOut(zone string) bool {
	return slices.ContainsFunc(s.chain, func(l link) bool { return l.mayAnswer(zone) && !covered(l.zones, ".") })
}
