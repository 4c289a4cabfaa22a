package corefiles

import (
	"fmt"
	"slices"
	"strings"
)

// shapes are blocks of plugins that belong together. They come about by chance so
// seldom that each has its own way to be made, here of a zone and a name within.
var shapes = []func(m *maker, zone, name string) []block{(*maker).allToOne, (*maker).changedEntry, (*maker).oldOwner, (*maker).circle}

// withShape adds a shape to some Corefiles, for a zone that no block has.
func (m *maker) withShape(c corefile) corefile {
	free := slices.DeleteFunc(slices.Clone(zones), func(z string) bool {
		return strings.HasSuffix(z, ".arpa") || slices.ContainsFunc(c.blocks, func(b block) bool { return slices.Contains(b.zones, z) })
	})
	if len(free) == 0 || !m.chance(3) {
		return c
	}
	zone := m.one(free)
	at := zone
	if zone == "." {
		at = "example.org"
	}
	return corefile{slices.Concat(c.blocks, shapes[m.IntN(len(shapes))](m, zone, "www."+at))}
}

// change makes the name to of from, and of names around it.
func (m *maker) change(from, to, answer string) use {
	rule := m.one([]string{
		fmt.Sprintf("rewrite name suffix %s %s", from, to),
		fmt.Sprintf("rewrite name prefix %s %s", from, to),
		fmt.Sprintf("rewrite name substring %s %s", from, to),
		fmt.Sprintf("rewrite name regex ^%s[.]$ %s", strings.ReplaceAll(from, ".", "[.]"), to),
	})
	return use{lines: []string{rule + answer}, names: []string{from, "x." + from, from + ".lab.test"}}
}

// entry is a hosts with one name.
func (m *maker) entry(name string, inner []string) use {
	mark := m.marked()
	var lines []string
	for _, a := range addresses(mark) {
		lines = append(lines, "    "+a+" "+name)
	}
	return use{
		lines: braces("hosts "+m.tree.empty(), append(lines, inner...)), mark: mark, backend: true,
		entries: []string{name}, reverse: reverses(addresses(mark)...),
	}
}

func (m *maker) forwardAll() use {
	mark := m.marked()
	return use{lines: []string{"forward . " + m.tree.upstream(mark)}, mark: mark, backend: true}
}

// allToOne changes every name to the only one that hosts has. Hosts has no PTR
// record of a name.
func (m *maker) allToOne(zone, name string) []block {
	rule := m.one([]string{"(.*)", ".*", "^(.*)[.]$"})
	return []block{{zones: []string{zone}, uses: []use{
		m.entry(name, m.fallthroughs(zone, 80)),
		m.forwardAll(),
		{lines: []string{fmt.Sprintf("rewrite name regex %s %s answer auto", rule, name)}, reverse: []string{"x." + name + "."}},
	}}}
}

// unlisted is no mark: hosts has no such address.
const unlisted = most + 1

// networks are the reverse zones of all marks.
var networks = []string{"2.0.192.in-addr.arpa", "8.b.d.0.1.0.0.2.ip6.arpa"}

// changedEntry changes a name of hosts to another. Hosts still answers for its
// addresses, if they come to the block.
func (m *maker) changedEntry(zone, name string) []block {
	var inner []string
	if m.chance(15) {
		inner = append(inner, "    no_reverse")
	}
	b := block{zones: []string{zone}}
	b.uses = append(b.uses, m.entry(name, append(inner, m.fallthroughs(zone, 60)...)))
	if m.chance(80) {
		for _, reverse := range b.uses[0].reverse {
			i := slices.IndexFunc(networks, func(z string) bool { return strings.HasSuffix(reverse, "."+z+".") })
			b.zones = append(b.zones, networks[i])
		}
	}
	answer := ""
	if m.chance(70) {
		answer = " answer auto"
	}
	rule := m.change(name, "x."+name, answer)
	rule.reverse = reverses(address(unlisted), address6(unlisted))
	b.uses = append(b.uses, rule)
	if m.chance(70) {
		b.uses = append(b.uses, m.forwardAll())
	}
	return []block{b}
}

// oldOwner has templates that write the name that the client asks for, while rewrite
// has changed it.
func (m *maker) oldOwner(zone, name string) []block {
	changed := "host." + strings.TrimPrefix(name, "www.")
	b := block{zones: []string{zone}, uses: []use{m.change(name, changed, "")}}
	mark := m.marked()
	for _, a := range addresses(mark) {
		qtype := "A"
		if strings.Contains(a, ":") {
			qtype = "AAAA"
		}
		inner := []string{
			fmt.Sprintf("    match ^%s[.]$", strings.ReplaceAll(changed, ".", "[.]")),
			fmt.Sprintf(`    answer "%s. 60 IN %s %s"`, name, qtype, a),
		}
		b.uses = append(b.uses, use{lines: braces("template IN "+qtype, append(inner, m.fallthroughs(zone, 60)...)), mark: mark, backend: true})
	}
	if m.chance(50) {
		b.uses = append(b.uses, m.forwardAll())
	}
	return []block{b}
}
