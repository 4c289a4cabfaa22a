package ede

import (
	"net/netip"

	"github.com/coredns/coredns/plugin"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
)

// block is what the Corefile says about one server block.
type block struct {
	// id is the same across reloads for as long as the block is unchanged.
	id uint64
	// keys are the block's own, serves the zones among them, zones those that
	// ede explains, except those among them that it does not.
	keys, serves, zones, except []string

	texts        []textRule
	keepUpstream bool
	shadow       bool
	diagnose     bool
	// why is true if clients with FullWords may ask why a name fails.
	why bool
}

// textRule is one text line: the words for the clients of some networks, or of
// all if there is none.
type textRule struct {
	words    cause.Words
	networks []netip.Prefix
}

// explains reports whether failures of name are explained.
func (b *block) explains(name string) bool {
	if len(b.zones) == 1 && b.zones[0] == "." && len(b.except) == 0 {
		return true
	}
	return plugin.Zones(b.zones).Matches(name) != "" && plugin.Zones(b.except).Matches(name) == ""
}

// servedZone returns the zone of the block that name, in lower case, is in.
func (b *block) servedZone(name string) string { return plugin.Zones(b.serves).Matches(name) }

// groupOf returns the zone that failures of name, in lower case, count under.
func (b *block) groupOf(name string) string { return incident.ZoneOf(name, b.servedZone(name)) }

// wordsFor returns how much the client at addr is told; the first line that
// matches wins.
func (b *block) wordsFor(addr netip.Addr) cause.Words {
	addr = addr.Unmap()
	for _, rule := range b.texts {
		if len(rule.networks) == 0 {
			return rule.words
		}
		for _, n := range rule.networks {
			if n.Contains(addr) {
				return rule.words
			}
		}
	}
	return cause.BriefWords
}

// private are the zones of the block that the public tree does not judge: a
// server block for a zone of its own may well be the only one to have it.
func (b *block) private() []string {
	var zones []string
	for _, z := range b.serves {
		if z != "." {
			zones = append(zones, z)
		}
	}
	return zones
}
