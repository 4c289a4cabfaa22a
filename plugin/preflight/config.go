package preflight

import "net/netip"

// A config is a whole Corefile, indexed for the checks.
type config struct {
	order   []string
	servers []*server
	byPort  map[port][]*server // in file order
	byKey   map[key][]*server  // in file order
	own     map[netip.Addr]bool
}

func newConfig(h Host, blocks []Block, order []string) *config {
	c := &config{
		order:  order,
		byPort: make(map[port][]*server),
		byKey:  make(map[key][]*server),
		own:    ownAddrs(h),
	}
	for _, b := range blocks {
		s := newServer(b, order, h.Port)
		c.servers = append(c.servers, s)
		for _, k := range s.keys {
			c.byKey[k] = append(c.byKey[k], s)
		}
		for p := range s.ports() {
			c.byPort[p] = append(c.byPort[p], s)
		}
	}
	return c
}

func ownAddrs(h Host) map[netip.Addr]bool {
	own := make(map[netip.Addr]bool)
	if h.Addrs == nil {
		return own
	}
	addrs, err := h.Addrs()
	if err != nil {
		return own // fewer warnings
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			own[p.Addr().Unmap().WithZone("")] = true
		}
	}
	return own
}
