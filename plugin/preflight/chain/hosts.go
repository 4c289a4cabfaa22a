package chain

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/coredns/coredns/plugin"
)

// hosts are the entries that stand in the Corefile.
type hosts struct {
	names       map[string]bool // and wildcards, for example "*.example.org."
	reverse     map[string]bool // names of PTR records
	entries     []string        // in the order of the Corefile, once each
	unsupported bool            // fallthrough_unsupported
	noReverse   bool            // no_reverse
}

// notEntries are the properties of hosts.
var notEntries = []string{"fallthrough", "fallthrough_unsupported", "no_reverse", "ttl", "reload"}

func prepareHosts(l *Link) {
	h := &hosts{names: make(map[string]bool), reverse: make(map[string]bool)}
	_, h.unsupported = l.Option("fallthrough_unsupported")
	_, h.noReverse = l.Option("no_reverse")
	for _, line := range l.Lines[min(1, len(l.Lines)):] {
		if len(line) < 2 || slices.Contains(notEntries, line[0]) {
			continue
		}
		text, _, _ := strings.Cut(line[0], "%")
		addr, err := netip.ParseAddr(text)
		if err != nil {
			continue
		}
		for _, name := range line[1:] {
			if strings.HasPrefix(name, "#") {
				break
			}
			if name = plugin.Name(name).Normalize(); !h.names[name] {
				h.entries = append(h.entries, name)
				h.names[name] = true
			}
		}
		if r, err := dns.ReverseAddr(addr.Unmap().String()); err == nil && !h.noReverse {
			h.reverse[r] = true
		}
	}
	l.hosts = h
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
	if l.hosts.names[name] {
		return true
	}
	_, parent, ok := strings.Cut(name, ".")
	return ok && parent != "" && l.hosts.names["*."+parent]
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
		case h.reverse[q.Name]:
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
