package preflight

import "slices"

// deadEndPlugins answer for their zones only and are those that people put into a
// wider block. file, auto and the like refuse what is not theirs,
// as an authoritative server should (plugin/file/file.go, ServeDNS).
var deadEndPlugins = []string{"kubernetes", "k8s_external", "hosts", "template", "etcd", "forward", "grpc"}

// deadEnd returns a zone of s whose ordinary names no plugin answers.
func (s *server) deadEnd() (zone string, found bool) {
	backend := slices.ContainsFunc(s.chain, func(l link) bool { return slices.Contains(deadEndPlugins, l.Name) })
	// A view may let only names in that are answered, a rewrite make them so.
	if !backend || s.authority() || s.has("view") || s.has("rewrite") {
		return "", false
	}
	for _, z := range s.zones {
		if !slices.ContainsFunc(s.chain, func(l link) bool { return l.covers(z) }) {
			return z, true
		}
	}
	return "", false
}

// authority reports whether s has zone files: then what they do not have is
// refused, on purpose.
func (s *server) authority() bool { return s.has("file") || s.has("secondary") }

func findDeadEnd(_ *config, s *server) []finding {
	zone, found := s.deadEnd()
	if !found {
		return nil
	}
	var served []string
	for _, l := range s.chain {
		if l.kind == answers {
			served = append(served, l.zones...)
		}
	}
	slices.Sort(served)
	return []finding{s.finding(listed(zone), listed(slices.Compact(served)...))}
}

// findFallthroughToNowhere looks for a fallthrough below which nothing shares a
// zone with it, so that a missing name turns from NXDOMAIN into SERVFAIL.
func findFallthroughToNowhere(_ *config, s *server) []finding {
	if _, dead := s.deadEnd(); dead {
		return nil // has the same remedy
	}
	var all []finding
	for i, l := range s.chain {
		if zone, lost := s.lost(i); lost {
			all = append(all, l.finding(l.Name, listed(zone)))
		}
	}
	return all
}

// lost returns the widest zone that link i passes on to nobody.
func (s *server) lost(i int) (zone string, lost bool) {
	l := s.chain[i]
	for _, served := range s.zones {
		for _, own := range l.zones {
			common, ok := narrower(served, own)
			if !ok {
				continue
			}
			for _, f := range l.fall {
				if z, ok := narrower(common, f); ok && !s.below(i, z) && (!lost || len(z) < len(zone)) {
					zone, lost = z, true
				}
			}
		}
	}
	return zone, lost
}

// below reports whether a plugin below link i answers names under zone. Of one
// plugin's uses only template's are asked one after the other.
func (s *server) below(i int, zone string) bool {
	above := s.chain[i].Name
	// These are made to pass on, and what they pass on are ordinary names: some
	// below is not enough.
	ordinary := (above == "hosts" || above == "template") && !s.renames() && !s.authority()
	return slices.ContainsFunc(s.chain[i+1:], func(l link) bool {
		if l.Name == above && above != "template" {
			return false
		}
		return l.covers(zone) || !ordinary && l.mayAnswer(zone)
	})
}

// findHiding looks for a hosts or template that was meant to override some
// names, but answers SERVFAIL for all others before what is below it is asked.
func findHiding(plugin string) func(*config, *server) []finding {
	return func(_ *config, s *server) []finding {
		var all []finding
		for i, l := range s.chain {
			if l.Name != plugin {
				continue
			}
			if hidden := s.hidden(i); hidden != "" {
				all = append(all, l.finding(hidden))
			}
		}
		return all
	}
}

// hidden returns the plugin that link i hides, or "". Link i has all of the
// block's zones and no fallthrough, and below it is a forwarder for all of them,
// or a zone's own data. With narrower zones it may be meant.
func (s *server) hidden(i int) string {
	l := s.chain[i]
	_, matches := l.option("match")
	if len(l.fall) > 0 || len(s.zones) == 0 || l.Name == "template" && !matches || s.renames() {
		return ""
	}
	if slices.ContainsFunc(s.zones, func(z string) bool { return !covered(l.zones, z) }) {
		return ""
	}
	for _, below := range s.chain[i+1:] {
		if below.forwards() && !slices.ContainsFunc(s.zones, func(z string) bool { return !below.covers(z) }) {
			return below.Name
		}
		if l.Name == "hosts" && slices.Contains(zoneData, below.Name) && len(below.zones) > 0 {
			return below.Name
		}
	}
	return ""
}

// zoneData are the plugins that have whole zones.
var zoneData = []string{"kubernetes", "file", "secondary", "etcd"}

// findUnreachableForward looks for forwarders below a plugin that answers all
// names of the block.
func findUnreachableForward(_ *config, s *server) []finding {
	i := slices.IndexFunc(s.chain, link.forwards)
	if i < 0 || s.renames() {
		return nil
	}
	f := s.chain[i]
	for _, l := range s.chain[:i] {
		if s.endsAt(l) {
			return []finding{f.finding(f.Name, l.Name, l.Line)}
		}
	}
	return nil
}

// endsAt reports whether l is a zone's own data and gives the last word on all
// names of the block.
func (s *server) endsAt(l link) bool {
	if slices.Contains(zoneData, l.Name) {
		return len(s.zones) > 0 && !slices.ContainsFunc(s.zones, func(z string) bool { return !l.stops(z) })
	}
	return false
}

// renames reports whether names may go down the chain that are not of the
// block's zones.
func (s *server) renames() bool { return s.has("rewrite") || s.has("autopath") || s.has("view") }

func findIdleLoop(_ *config, s *server) []finding {
	l, ok := s.find("loop")
	if !ok || s.mayForward() {
		return nil
	}
	return []finding{l.finding()}
}
