package page

import (
	"net"
	"net/netip"
	"strings"
)

// hostNames is the set of names under which the page may be asked for.
func hostNames(names []string) map[string]bool {
	set := map[string]bool{"localhost": true}
	for _, name := range names {
		if name != "" {
			set[strings.ToLower(name)] = true
		}
	}
	return set
}

// accepts reports whether host may be that of a request. A page of another site
// can have its own name resolve to this address and then read what it gets (DNS
// rebinding), but it cannot choose the name that the browser sends: an address,
// localhost and the machine's own name are never the other site's.
func (h *handler) accepts(host string) bool {
	name := host
	if bare, _, err := net.SplitHostPort(host); err == nil {
		name = bare
	}
	if len(name) > 2 && name[0] == '[' && name[len(name)-1] == ']' {
		name = name[1 : len(name)-1]
	}
	if _, err := netip.ParseAddr(name); err == nil && !strings.ContainsAny(name, "[]") {
		return true
	}
	return h.hosts[strings.ToLower(strings.TrimSuffix(name, "."))]
}
