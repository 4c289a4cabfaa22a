package preflight

import (
	"iter"
	"net/netip"
	"slices"
	"strings"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/parse"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/chain"
	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/spelling"
)

// findInvalidKeys: an error of these ends CoreDNS at start
// (core/dnsserver/register.go, InspectServerBlocks).
func findInvalidKeys(_ *config, s *server) []finding {
	var all []finding
	for _, f := range s.faulty {
		if len(all) == MaxWarnings {
			break
		}
		if spelling.AddressIn(f.key) != "" || s.unset(f.key) {
			continue
		}
		reason, _, _ := strings.Cut(f.err.Error(), ": ")
		found := atBlock(s, listed(f.key), Printable(reason))
		if strings.Contains(f.key, "${") {
			found.fix = "write a variable as `{$NAME}`, without a default, or write its value"
		}
		all = append(all, found)
	}
	return all
}

// cutOff finds a brace that closes nothing, or a block too early: what stands below it is
// read as another block.
func (s *server) cutOff() (found finding, ok bool) {
	if len(s.Keys) == 0 {
		return finding{}, false
	}
	found = atBlock(s)
	switch {
	case s.Keys[0] == "}":
		found.text = "this `}` closes nothing, and CoreDNS reads it as a zone"
		found.fix = "remove it"
	case s.Below > 0 && chain.Known(s.Keys[0]):
		found.line = s.Below
		found.text = "this `}` closes its block too early: CoreDNS reads line %d below it, %s, as the zones of another block"
		found.args = []any{s.Line, listed(s.Keys...)}
		found.fix = "remove it, or move it below the last line of the block"
	default:
		return finding{}, false
	}
	found.misread = true
	return found, true
}

func (s *server) unset(k string) bool { return s.blank[k] }

func findUnsetVariables(c *config, s *server) []finding {
	var all []finding
	for _, v := range s.Unset[:min(len(s.Unset), MaxWarnings)] {
		what := "the key is read as " + listed(v.Value)
		_, rest := parse.Transport(v.Value)
		if _, _, err := plugin.SplitHostPort(rest); err != nil {
			what += ", which is no zone: CoreDNS does not start"
		}
		if v.Value == "" {
			what = "CoreDNS drops the key (with a comma behind it CoreDNS does not start), and the whole block if it has no other key; another block on the port answers the names; where none has them clients get REFUSED, and where none has the port they get no answer"
			if !slices.ContainsFunc(c.servers, func(other *server) bool { return len(other.Keys) > 0 }) {
				what = "CoreDNS drops the key and its block, and as no block is left, it answers every name itself, with NOERROR and nothing but the address of the client (whoami)"
			}
		}
		found := finding{file: v.File, line: v.Line, args: []any{Printable(v.Name), listed(v.Key), what}}
		if name, value, ok := strings.Cut(v.Name, ":"); ok {
			found.fix = "write `{$" + Printable(name) + "}` and set this variable in the environment of CoreDNS, or write the value itself, for example `" + Printable(strings.TrimLeft(value, "-=")) + "`: a variable of a Corefile has no default"
		}
		all = append(all, found)
	}
	return all
}

func findAddressKeys(c *config, s *server) []finding {
	var all []finding
	for _, k := range s.numbers {
		if len(all) == MaxWarnings {
			break
		}
		a := spelling.AddressIn(k)
		if a == "" && c.everything(k, s) {
			found := atBlock(s, listed(k))
			found.text = "CoreDNS reads the key %s as the zone \"in-addr.arpa.\", not as an address: all queries here but those for reverse names get REFUSED"
			all = append(all, found)
			continue
		}
		if a == "" || s.unset(k) {
			continue
		}
		found := atBlock(s, listed(k))
		if slices.ContainsFunc(s.faulty, func(f fault) bool { return f.key == k }) {
			found.text = "the key %s is no zone, and no network that CoreDNS can read: CoreDNS does not start"
		}
		if strings.Contains(a, "/") {
			found.fix = "write the network with all its octets and a mask that fits, for example `192.0.2.0/24`, or the reverse zone itself"
		} else if addr, err := netip.ParseAddr(strings.Trim(a, "[].")); err == nil {
			found.fix = "write the zones as the keys, for example `.`, and `bind " + addr.String() + "` in the block"
		}
		all = append(all, found)
	}
	return all
}

// findTwice looks for zones that two blocks have on one port and address
// (core/dnsserver/register.go, validateZonesAndListeningAddresses).
func findTwice(_ *config, s *server) []finding {
	var all []finding
	if len(s.twice) > 0 {
		found := atBlock(s, listed(s.twice...), "stands twice among the keys of this block")
		found.fix = "write it once"
		all = append(all, found)
	}
	if s.size == overBlocks {
		return all
	}
	for i, k := range s.keys {
		for _, other := range s.sites[i].blocks {
			if other == s {
				break
			}
			if other.has("view") || other.unclear || s.unclear || !conflict(other, s) {
				continue
			}
			all = append(all, atBlock(s, listed(k.zone), "has the same port and address as in the block of "+lineOf(other.File, other.Line, s.File)))
			break
		}
	}
	return all
}

// conflict reports whether CoreDNS refuses to start with both on one key. With
// a view s may share the address, but not mix bound and unbound.
func conflict(first, s *server) bool {
	if len(first.hosts) == 0 != (len(s.hosts) == 0) {
		return true
	}
	if s.has("view") {
		return false
	}
	if len(s.hosts) == 0 {
		return true
	}
	return slices.ContainsFunc(s.hosts, func(a netip.Addr) bool { return slices.Contains(first.hosts, a) })
}

// A written is a zone of a block or of one of its plugins, among those that it stands with.
type written struct {
	zone string
	with []string
	at   finding // of a mistake in it
	to   string  // what to write if it is an address, which stands for the zone of an upstream
	own  bool    // it is one of the block
}

// written yields the zones of s, and those of its plugins that it does not have itself.
func (s *server) written() iter.Seq[written] {
	return func(yield func(written) bool) {
		for _, z := range s.zones {
			if !yield(written{zone: z, with: s.zones, at: atBlock(s), own: true}) {
				return
			}
		}
		for i := range s.chain.Links {
			l := &s.chain.Links[i]
			for i, zones := range [...][]string{l.Zones, l.Fall, l.Except} {
				w := written{with: zones, at: at(l.Directive)}
				if i == 0 && addressed(l) {
					w.to = "write `" + l.Name + " . " + Printable(strings.Join(l.Args(), " ")) + "`, with the zone before the addresses"
				}
				for _, w.zone = range zones {
					if !slices.Contains(s.zones, w.zone) && !yield(w) {
						return
					}
				}
			}
		}
	}
}

// findImpossibleZones looks for zones that have no name that a client asks for.
func findImpossibleZones(_ *config, s *server) []finding {
	var all []finding
	for w := range s.written() {
		why, fix := spelling.Impossible(w.zone)
		switch address := spelling.AddressIn(strings.TrimSuffix(w.zone, ".")) != ""; {
		case address && w.own, why == "" && w.to == "":
			continue // address-as-key tells, or there is nothing to tell
		case w.to != "":
			why, fix = "the first word behind forward or grpc is read as its zone", w.to
		case address:
			why = "it is an address, and is read as a zone"
		}
		if meant := spelling.Reverse(w.zone, spelling.Evidence{}); meant == "" || chain.Covered(w.with, meant) || spelling.Listed(w.zone) {
			w.at.args, w.at.fix = []any{listed(w.zone), chain.Printable(why)}, chain.Printable(fix)
			all = append(all, w.at)
		}
	}
	return all
}

// findMisspeltZones looks for zones that were meant to be reverse ones, in the
// keys and in what plugins are for.
func findMisspeltZones(c *config, s *server) []finding {
	var all []finding
	cluster, _ := s.find("kubernetes")
	for w := range s.written() {
		known := spelling.Evidence{Networks: c.spokenNetworks, Private: slices.Contains(cluster.Zones, w.zone)}
		if meant := spelling.Reverse(w.zone, known); meant != "" && !chain.Covered(w.with, meant) && !spelling.Listed(w.zone) {
			w.at.args = []any{listed(w.zone), listed(meant)}
			all = append(all, w.at)
		}
	}
	return all
}

// spokenNetworks are the networks that the Corefile speaks of, read when they are first needed.
func (c *config) spokenNetworks() spelling.Networks {
	if c.networks != nil {
		return c.networks
	}
	c.networks = spelling.Networks{}
	for _, s := range c.servers {
		for _, key := range s.Keys {
			c.networks.Add(key)
		}
		for i := range s.Directives {
			d := &s.Directives[i]
			for _, t := range d.Tokens {
				c.networks.Add(t.Text)
			}
			if args := d.Args(); d.Name == "file" && len(args) > 0 {
				c.networks.AddFile(args[0])
			}
		}
	}
	c.networks.Sort()
	return c.networks
}
