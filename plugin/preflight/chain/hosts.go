package chain

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/coredns/coredns/plugin"
)

// hosts are the entries that stand in the Corefile.
type hosts struct {
	lines       map[string]*line    // by name, also wildcards, for example "*.example.org."
	reverse     map[string][]string // the entries that names of PTR records point to
	entries     []string            // in the order of the Corefile, once each
	unsupported bool                // fallthrough_unsupported
	noReverse   bool                // no_reverse
}

// A line is what hosts has for one name.
type line struct {
	types    []uint16 // of its addresses
	pointers []string // names of the PTR records that point to it
}

// HostsProperties are lines of hosts that are no entries.
var HostsProperties = []string{"fallthrough", "fallthrough_unsupported", "no_reverse", "ttl", "reload"}

func prepareHosts(l *Link) {
	h := &hosts{lines: make(map[string]*line), reverse: make(map[string][]string)}
	_, h.unsupported = l.Option("fallthrough_unsupported")
	_, h.noReverse = l.Option("no_reverse")
	for _, words := range l.Lines[min(1, len(l.Lines)):] {
		if len(words) < 2 || slices.Contains(HostsProperties, words[0]) {
			continue
		}
		text, _, _ := strings.Cut(words[0], "%")
		addr, err := netip.ParseAddr(text)
		if err != nil {
			continue
		}
		for _, name := range words[1:] {
			if strings.HasPrefix(name, "#") {
				break
			}
			h.add(plugin.Name(name).Normalize(), addr.Unmap())
		}
	}
	l.hosts = h
}

func (h *hosts) add(name string, addr netip.Addr) {
	has := h.lines[name]
	if has == nil {
		has = &line{}
		h.lines[name] = has
		h.entries = append(h.entries, name)
	}
	qtype := dns.TypeAAAA
	if addr.Is4() {
		qtype = dns.TypeA
	}
	if !slices.Contains(has.types, qtype) {
		has.types = append(has.types, qtype)
	}
	wild := strings.HasPrefix(name, "*.") // no PTR record points to it
	if r, err := dns.ReverseAddr(addr.String()); err == nil && !h.noReverse && !wild {
		has.pointers = append(has.pointers, r)
		h.reverse[r] = append(h.reverse[r], name)
	}
}

// Entries are the names that a hosts lists in the Corefile, wildcards as they
// are written.
func (l *Link) Entries() []string {
	if l.hosts == nil {
		return nil
	}
	return l.hosts.entries
}

// Has reports whether a hosts lists name in the Corefile, and in its zones.
func (l *Link) Has(name string) bool {
	if l.hosts == nil || !l.zones.has(name) {
		return false
	}
	if l.hosts.lines[name] != nil {
		return true
	}
	_, parent, ok := strings.Cut(name, ".")
	return ok && parent != "" && l.hosts.lines["*."+parent] != nil
}

// Gives returns the types of the addresses that a hosts lists for an entry, and the names
// whose PTR records it makes of them: none outside of its zones (plugin/hosts/hostsfile.go,
// parse).
func (l *Link) Gives(entry string) (types []uint16, pointers []string) {
	has := l.hosts.lines[entry]
	if !l.zones.has(entry) {
		return has.types, nil
	}
	return has.types, has.pointers
}

// hostsWants: the names of addresses need not lie in the zones of hosts.
func hostsWants(l *Link, q Question) bool {
	return l.zones.has(q.Name) || q.Type == dns.TypePTR && !l.hosts.noReverse && Reverse(q.Name)
}

// meetHosts is plugin/hosts/hosts.go, ServeDNS. What is in the file is not
// known, and stands for nothing but for what rewrite names.
func meetHosts(c *Chain, i int, q *Question) step {
	l := &c.Links[i]
	h := l.hosts
	if q.Type == dns.TypePTR {
		switch {
		case slices.ContainsFunc(h.reverse[q.Name], l.zones.has):
			return answer
		case l.zones.has(q.Name):
			return passFall // whatever fallthrough says
		}
		return pass
	}
	if !l.zones.has(q.Name) {
		return pass
	}
	address := q.Type == dns.TypeA || q.Type == dns.TypeAAAA
	switch through := l.fall.has(q.Name); {
	case !address && h.unsupported && through:
		return passFall
	case l.Has(q.Name):
		return answer
	case q.named:
		return maybe
	case through:
		return passFall
	}
	return miss
}

// A Misread is a line of a hosts that CoreDNS passes over without a word, as it does not
// begin with an address.
type Misread struct {
	File  string
	Line  int
	Words []string
}

// Meant are the first word that is an address, "" if none is, and the other words of m as
// names, without the signs that other files put between them.
func (m Misread) Meant() (address string, names []string) {
	for _, word := range m.Words {
		if address == "" && isHostAddress(word) {
			address = word
		} else if name := strings.Trim(word, ":=,;->|"); strings.Trim(name, "0123456789") != "" && !slices.Contains([]string{"IN", "A", "AAAA"}, name) {
			names = append(names, name)
		}
	}
	return address, names
}

// isHostAddress is plugin/hosts/hostsfile.go, parseIP.
func isHostAddress(word string) bool {
	word, _, _ = strings.Cut(word, "%")
	_, err := netip.ParseAddr(word)
	return err == nil
}

// Misread are such lines of a hosts in the Corefile, at most that many. Below fallthrough
// CoreDNS does not start with them, and says so.
func (l *Link) Misread(most int) []Misread {
	var all []Misread
	tokens := l.Tokens
	for i := 1; i < len(tokens) && len(all) < most; {
		end := i + 1
		for end < len(tokens) && tokens[end].Line == tokens[i].Line && tokens[end].File == tokens[i].File {
			end++
		}
		switch first := tokens[i].Text; {
		case tokens[i].Line == tokens[0].Line && tokens[i].File == tokens[0].File, strings.ContainsAny(first, "{}"), tokens[end-1].Text == "{",
			slices.Contains(HostsProperties, first), isHostAddress(first):
		default:
			m := Misread{File: cmp.Or(tokens[i].File, l.File), Line: tokens[i].Line}
			for _, t := range tokens[i:end] {
				m.Words = append(m.Words, t.Text)
			}
			all = append(all, m)
		}
		if tokens[i].Text == "fallthrough" {
			return all
		}
		i = end
	}
	return all
}

// HostsFiles are the files that hosts names, each of which is read once, by Read, such as
// ReadFile; nil reads none.
type HostsFiles struct {
	Read  func(path string) ([]byte, error)
	lines map[string][]Misread
}

// maxHostsFiles is how many of them are read.
const maxHostsFiles = 16

// Misread are the lines of a file that have an address behind a name, at most that many.
func (h *HostsFiles) Misread(path string, most int) []Misread {
	lines, met := h.lines[path]
	if met || h.Read == nil || len(h.lines) == maxHostsFiles {
		return lines
	}
	if text, err := h.Read(path); err == nil {
		lines = misreadIn(path, string(text), most)
	}
	if h.lines == nil {
		h.lines = make(map[string][]Misread)
	}
	h.lines[path] = lines
	return lines
}

func misreadIn(file, text string, most int) []Misread {
	var all []Misread
	number := 0
	for line := range strings.Lines(text) {
		number++
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) < 2 || isHostAddress(words[0]) {
			continue
		}
		m := Misread{file, number, words}
		if address, _ := m.Meant(); address != "" {
			if all = append(all, m); len(all) == most {
				break
			}
		}
	}
	return all
}
