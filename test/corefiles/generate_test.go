package corefiles

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// A corefile is a Corefile as it was made.
type corefile struct{ blocks []block }

type block struct {
	zones []string // keys without port, "." or without final dot
	uses  []use
	bind  string // address1 if it is empty
}

// A use is one use of a plugin. What it answers can be told by its mark.
type use struct {
	lines   []string
	mark    int
	backend bool
	names   []string // that it is for, to be asked as well
	entries []string // of hosts
	reverse []string // names to be asked for PTR
}

// text returns the Corefile, with line in the first place of each block if it
// is not empty, and the line of each block's key.
func (c corefile) text(line string) (text string, keys []int) {
	var b strings.Builder
	n := 1
	write := func(s string) {
		b.WriteString(s + "\n")
		n++
	}
	for _, bl := range c.blocks {
		keys = append(keys, n)
		var with []string
		for _, z := range bl.zones {
			with = append(with, z+":0")
		}
		write(strings.Join(with, " ") + " {")
		write("    bind " + cmp.Or(bl.bind, address1))
		if line != "" {
			write("    " + line)
		}
		for _, u := range bl.uses {
			for _, l := range u.lines {
				write("    " + l)
			}
		}
		write("}")
	}
	return b.String(), keys
}

// without is c without one use.
func (c corefile) without(i, j int) corefile {
	blocks := slices.Clone(c.blocks)
	blocks[i].uses = slices.Delete(slices.Clone(blocks[i].uses), j, j+1)
	return corefile{blocks}
}

// lacking is c without all uses of a plugin. any is false if there are none.
func (c corefile) lacking(plugin string) (other corefile, any bool) {
	other = c
	for i, b := range c.blocks {
		for j, u := range slices.Backward(b.uses) {
			if strings.HasPrefix(u.lines[0], plugin) {
				other, any = other.without(i, j), true
			}
		}
	}
	return other, any
}

// guarded reports whether acl may keep questions from plugins, on purpose.
func (b block) guarded() bool {
	return slices.ContainsFunc(b.uses, func(u use) bool { return strings.HasPrefix(u.lines[0], "acl") })
}

// only is c with one use of a block alone, and its view.
func (c corefile) only(i, j int) corefile {
	blocks := slices.Clone(c.blocks)
	blocks[i].uses = []use{{lines: []string{"errors"}}}
	for k, u := range c.blocks[i].uses {
		if k == j || strings.HasPrefix(u.lines[0], "view") {
			blocks[i].uses = append(blocks[i].uses, u)
		}
	}
	return corefile{blocks}
}

// zones are those that Corefiles are made of: inside of each other, next to
// each other, and a reverse one.
var zones = []string{".", "example.org", "sub.example.org", "deep.sub.example.org", "example.net", "lab.test", "10.in-addr.arpa"}

// A maker makes one Corefile.
type maker struct {
	*rand.Rand
	tree *tree
	mark int
}

func (m *maker) one(of []string) string { return of[m.IntN(len(of))] }

// chance is true in that many of a hundred cases.
func (m *maker) chance(percent int) bool { return m.IntN(100) < percent }

// in returns a zone in or around zone, mostly zone itself.
func (m *maker) in(zone string) string {
	if m.chance(45) {
		return zone
	}
	return m.one(zones)
}

func (m *maker) corefile() corefile { return m.withShape(m.plain()) }

// plain is a Corefile of blocks whose plugins chance puts together.
func (m *maker) plain() (c corefile) {
	taken := make(map[string]bool)
	for range 1 + m.IntN(3) {
		z := m.one(zones)
		if taken[z] {
			continue
		}
		taken[z] = true
		b := block{zones: []string{z}}
		if other := m.one(zones); m.chance(12) && !taken[other] {
			taken[other] = true
			b.zones = append(b.zones, other)
		}
		if m.chance(7) {
			c.blocks = append(c.blocks, m.fill(block{zones: b.zones, uses: []use{m.view()}}))
		} else if m.chance(3) {
			defer func() { c.blocks = append(c.blocks, m.fill(block{zones: b.zones, uses: []use{m.view()}})) }()
		}
		c.blocks = append(c.blocks, m.fill(b))
	}
	return c
}

func (m *maker) view() use {
	expr := "incidr(client_ip(), '" + clients[1] + "/32')"
	if m.chance(20) {
		expr = "type() in ['A', 'TXT', 'PTR']"
	}
	return use{lines: []string{fmt.Sprintf("view v%d {", m.IntN(1000)), "    expr " + expr, "}"}}
}

// fill adds plugins: those that answer, and around them some that do not.
func (m *maker) fill(b block) block {
	zone := b.zones[0]
	kinds := []func(string) use{m.forward, m.forward, m.forward, m.file, m.hosts, m.hosts, m.template, m.template, m.template, m.whoami, m.auto, m.erratic, m.secondary, m.etcd, m.kubernetes}
	once := make(map[string]bool)
	for range 1 + m.IntN(4) {
		u := kinds[m.IntN(len(kinds))](zone)
		if strings.HasPrefix(u.lines[0], "auto") && m.chance(70) {
			u = m.forward(zone) // what a directory has cannot be foretold
		}
		name, _, _ := strings.Cut(u.lines[0], " ")
		switch name {
		case "hosts", "kubernetes": // CoreDNS takes one of a block, and does not start with two
		case "file", "secondary":
			// CoreDNS does not shut down with two for one zone: plugin/file/setup.go
			// has the zone's OnShutdown called twice, and the second call waits for ever.
			fields := strings.Fields(u.lines[0])
			name += " " + strings.TrimSuffix(fields[len(fields)-1], "{")
			if fields[len(fields)-1] == "{" {
				name += fields[len(fields)-2]
			}
		case "forward", "template":
			name = ""
		default: // of these the first is read, or the last, or all
			if m.chance(80) {
				break
			}
			name = ""
		}
		if name != "" && once[name] {
			continue
		}
		once[name] = true
		b.uses = append(b.uses, u)
	}
	if m.chance(6) { // nothing answers
		b.uses = slices.DeleteFunc(b.uses, func(u use) bool { return !strings.HasPrefix(u.lines[0], "view") })
	}
	if m.chance(15) {
		b.uses = append(b.uses, m.rewrite(zone))
	}
	if m.chance(12) {
		b.uses = append(b.uses, m.acl(zone))
	}
	if m.chance(40) {
		others := []string{"any", "cache", "dns64", "errors", "header {|    response set ra|}", "loadbalance", "local", "minimal", "nsid", "chaos x", "bufsize 1232", "cancel 5s", "metadata"}
		b.uses = append(b.uses, use{lines: strings.Split(m.one(others), "|")})
	} else if len(b.uses) == 0 {
		b.uses = append(b.uses, use{lines: []string{"errors"}})
	}
	return b
}

func (m *maker) marked() int {
	m.mark++
	return m.mark
}

func (m *maker) fallthroughs(zone string, percent int) []string {
	switch {
	case !m.chance(percent):
		return nil
	case m.chance(75):
		return []string{"    fallthrough"}
	}
	return []string{"    fallthrough " + m.in(zone)}
}

func braces(first string, inner []string) []string {
	if len(inner) == 0 {
		return []string{first}
	}
	return append(append([]string{first + " {"}, inner...), "}")
}
