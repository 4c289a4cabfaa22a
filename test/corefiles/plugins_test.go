package corefiles

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

func (m *maker) forward(zone string) use {
	mark := m.marked()
	from := m.in(zone)
	var inner []string
	if m.chance(12) {
		inner = append(inner, "    except "+m.in(zone))
	}
	if m.chance(4) {
		inner = append(inner, "    next NXDOMAIN")
	}
	return use{lines: braces("forward "+from+" "+m.tree.upstream(mark), inner), mark: mark, backend: true}
}

func (m *maker) file(zone string) use {
	mark := m.marked()
	at := m.in(zone)
	return use{lines: braces("file "+m.tree.zoneFile(mark, at)+" "+at, m.fallthroughs(zone, 30)), mark: mark, backend: true}
}

// auto has one of its zones, or none.
func (m *maker) auto(zone string) use {
	mark := m.marked()
	at := m.in(zone)
	return use{lines: braces("auto "+at, []string{"    directory " + m.tree.directory(mark, m.in(at))}), mark: mark, backend: true}
}

func (m *maker) secondary(zone string) use {
	mark := m.marked()
	at := m.in(zone)
	inner := append([]string{"    transfer from " + m.tree.primary(mark)}, m.fallthroughs(zone, 30)...)
	return use{lines: braces("secondary "+at, inner), mark: mark, backend: true}
}

// etcd has no mark: its NXDOMAIN comes without a record of its data.
func (m *maker) etcd(zone string) use {
	first := "etcd"
	if m.chance(50) {
		first += " " + m.in(zone)
	}
	inner := append([]string{"    endpoint http://" + m.tree.etcd}, m.fallthroughs(zone, 40)...)
	return use{lines: braces(first, inner), backend: true}
}

// kubernetes has no mark either. Its first zone must not be a reverse one.
func (m *maker) kubernetes(zone string) use {
	at := m.in(zone)
	if strings.HasSuffix(at, ".arpa") {
		at = "lab.test"
	}
	first := "kubernetes " + at
	if m.chance(25) {
		first += " " + m.one([]string{"in-addr.arpa", "10.in-addr.arpa"})
	}
	inner := append([]string{"    endpoint " + m.tree.cluster}, m.fallthroughs(zone, 50)...)
	return use{lines: braces(first, inner), backend: true, names: []string{"web.prod.svc." + at}}
}

func (m *maker) whoami(string) use { return use{lines: []string{"whoami"}, backend: true} }

func (m *maker) erratic(string) use {
	return use{lines: []string{"erratic {", "    drop 0", "    delay 0", "}"}, backend: true}
}

// addresses are those of a mark: one of IPv4, one of IPv6, or both.
func addresses(mark int) []string {
	both := []string{address(mark), address6(mark)}
	return [][]string{both, both[:1], both[1:]}[mark%3]
}

// reverses are the names of the PTR records of addresses.
func reverses(addresses ...string) (names []string) {
	for _, a := range addresses {
		name, _ := dns.ReverseAddr(a)
		names = append(names, name)
	}
	return names
}

func (m *maker) hosts(zone string) use {
	mark := m.marked()
	u := use{mark: mark, backend: true}
	first, at := "hosts "+m.tree.empty(), zone
	if m.chance(50) {
		at = m.in(zone)
		first += " " + at
	}
	var inner []string
	for range m.IntN(3) {
		in := at
		if m.chance(25) {
			in = m.in(zone)
		}
		name := strings.TrimSuffix(m.one([]string{"printer", "www", "*", "a.b"})+"."+in, ".")
		if in == "." {
			name = "printer"
		} else if m.chance(10) {
			name = in
		}
		if slices.Contains(u.entries, name) {
			continue
		}
		for _, a := range addresses(mark) {
			inner = append(inner, "    "+a+" "+name)
		}
		u.entries = append(u.entries, name)
		u.reverse = reverses(addresses(mark)...)
	}
	u.lines = braces(first, append(inner, m.fallthroughs(zone, 60)...))
	return u
}

// patterns of templates, and names that fit, below a zone.
var patterns = []struct{ pattern, label string }{
	{`^www[.]`, "www"}, {`^host-(?P<n>[0-9]+)[.]`, "host-3"}, {`^[^.]+[.]%s$`, "alone"}, {`[.]%s$`, "x"}, {`^%s$`, ""}, {`^(.*)[.]sub[.]example[.]org[.]$`, "y"},
}

func (m *maker) template(zone string) use {
	mark := m.marked()
	u := use{mark: mark, backend: true}
	first := "template IN " + m.one([]string{"A", "A", "A", "AAAA", "ANY", "ANY", "TXT", "MX"})
	if m.chance(8) {
		first = strings.Replace(first, "IN ", "ANY ", 1)
	}
	at := zone
	if m.chance(55) {
		at = m.in(zone)
		first += " " + at
	}
	var inner []string
	if m.chance(45) {
		p := patterns[m.IntN(len(patterns))]
		fqdn := strings.TrimSuffix(at, ".") + "."
		quoted := strings.ReplaceAll(fqdn, ".", "[.]")
		if at == "." {
			quoted = "example[.]org[.]"
			fqdn = "example.org."
		}
		pattern := p.pattern
		if strings.Contains(pattern, "%s") {
			pattern = fmt.Sprintf(pattern, quoted)
		}
		inner = append(inner, "    match "+pattern)
		u.names = append(u.names, strings.TrimPrefix(p.label+"."+fqdn, "."))
	}
	rcode := "    rcode " + m.one([]string{"NOERROR", "NXDOMAIN"})
	switch class, qtype := strings.Fields(first)[1], strings.Fields(first)[2]; {
	case class == "ANY":
	case qtype == "A":
		rcode = fmt.Sprintf(`    answer "{{ .Name }} 60 IN A %s"`, address(mark))
	case qtype == "AAAA" && strings.Contains(rcode, "NOERROR"):
		rcode = fmt.Sprintf(`    answer "{{ .Name }} 60 IN AAAA %s"`, address6(mark))
	}
	inner = append(inner, rcode, fmt.Sprintf(`    authority "{{ .Zone }} 60 IN SOA %s mail.example. 1 60 60 60 60"`, m.tree.name(mark)))
	u.lines = braces(first, append(inner, m.fallthroughs(zone, 45)...))
	return u
}

// renamed are first parts of names that rules of rewrite are for, and of which they
// make what backends and lines of hosts have.
var renamed = []string{
	"x.", "host.", "printer.", "a.b.", "sub.", "deep.", "host.sub.", "x.sub.", "printer.sub.", "a.sub.b.", "old.",
	"web.prod.svc.", "web.prod.sub.svc.", "old-web.prod.svc.", "old.web.prod.svc.",
}

func (m *maker) rewrite(zone string) use {
	a, b := m.in(zone), m.in(zone)
	if a == "." {
		a = "example.org"
	}
	if b == "." {
		b = "example.net"
	}
	auto := ""
	if m.chance(70) {
		auto = " answer auto"
	}
	lines := []string{
		fmt.Sprintf("rewrite name exact www.%s www.%s", a, b),
		fmt.Sprintf("rewrite name suffix .%s .%s%s", a, b, auto),
		fmt.Sprintf("rewrite name suffix %s %s%s", a, b, auto),
		fmt.Sprintf("rewrite name prefix old. new.%s", auto),
		fmt.Sprintf("rewrite name substring .sub. .%s", auto),
		fmt.Sprintf(`rewrite name regex ^(.*)[.]%s[.]$ {1}.%s%s`, strings.ReplaceAll(a, ".", "[.]"), b, auto),
		fmt.Sprintf("rewrite continue name suffix .%s .%s%s", a, b, auto),
		"rewrite type AAAA A",
		"rewrite type ANY HINFO",
		"rewrite ttl regex . 30",
		"rewrite rcode suffix ." + a + " SERVFAIL NXDOMAIN",
	}
	var names []string
	for _, z := range zones {
		if strings.HasSuffix(z, ".arpa") {
			continue // nobody asks for other types there
		}
		for _, first := range renamed {
			names = append(names, first+strings.TrimPrefix(z, "."))
		}
	}
	return use{lines: []string{m.one(lines)}, names: names}
}

func (m *maker) acl(zone string) use {
	at := ""
	if m.chance(50) {
		at = " " + m.in(zone)
	}
	inner := []string{"    " + m.one([]string{"block net 192.0.2.0/24", "filter type MX", "block type TXT", "allow net 127.0.0.0/8", "filter", "block"})}
	if m.chance(30) {
		inner = append([]string{"    allow net 127.0.0.0/8"}, inner...)
	}
	return use{lines: braces("acl"+at, inner)}
}
