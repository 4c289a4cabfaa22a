package explain

import (
	"net/netip"

	"github.com/coredns/coredns/plugin"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
)

// Block is what the Corefile says about one server block.
type Block struct {
	// ID is the same across reloads for as long as the block is unchanged.
	ID uint64
	// Keys are the keys of the server block, Serves the zones in them. Zones are those
	// that ede explains, Except the zones inside these that it does not.
	Keys, Serves, Zones, Except []string

	Texts []TextRule
	// Always has the networks whose clients get options with every failure.
	Always       Networks
	KeepUpstream bool
	Shadow       bool
	Diagnose     bool
	// KeepAnswers is true if what upstreams say of answers that did not fail is kept
	// through cache, LogAnswers if these have log lines as well.
	KeepAnswers, LogAnswers bool
	// AskAgainOff is true if failures of queries without OPT are not asked again.
	AskAgainOff bool
	// Why is true if clients with FullWords may ask why a name fails.
	Why bool
}

// TextRule is one text line: the words for the clients of some networks, or of all if
// there is none.
type TextRule struct {
	Words    cause.Words
	Networks []netip.Prefix
}

// Networks are those of an `attach always` line: all if there is a line without
// networks, none if there is no line.
type Networks struct {
	All  bool
	List []netip.Prefix
}

// Have reports whether addr is in one of the networks.
func (n Networks) Have(addr netip.Addr) bool { return n.All || contains(n.List, addr) }

func contains(list []netip.Prefix, addr netip.Addr) bool {
	addr = addr.Unmap()
	for _, n := range list {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}

// Explains reports whether failures of name are explained.
func (b *Block) Explains(name string) bool {
	if len(b.Zones) == 1 && b.Zones[0] == "." && len(b.Except) == 0 {
		return true
	}
	return plugin.Zones(b.Zones).Matches(name) != "" && plugin.Zones(b.Except).Matches(name) == ""
}

// ServedZone returns the zone of the block that name, in lower case, is in.
func (b *Block) ServedZone(name string) string { return plugin.Zones(b.Serves).Matches(name) }

// groupOf returns the zone that failures of name, in lower case, count under.
func (b *Block) groupOf(name string) string { return incident.ZoneOf(name, b.ServedZone(name)) }

// WordsFor returns how much the client at addr is told; the first line that matches wins.
func (b *Block) WordsFor(addr netip.Addr) cause.Words {
	for _, rule := range b.Texts {
		if len(rule.Networks) == 0 || contains(rule.Networks, addr) {
			return rule.Words
		}
	}
	return cause.BriefWords
}

// private are the zones of the block that the public tree does not judge: a server block
// for a zone of its own may well be the only one to have it.
func (b *Block) private() []string {
	var zones []string
	for _, z := range b.Serves {
		if z != "." {
			zones = append(zones, z)
		}
	}
	return zones
}
