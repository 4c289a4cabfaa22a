package observe

import (
	"strings"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/auto"
	"github.com/coredns/coredns/plugin/file"
	"github.com/coredns/coredns/plugin/secondary"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// zoneOf reads the state of the zone of h that name falls into.
func zoneOf(h plugin.Handler, name string) evidence.Zone {
	name = lower(name)
	switch h := h.(type) {
	case file.File:
		return zoneOfFile(&h, name)
	case *file.File:
		return zoneOfFile(h, name)
	case *secondary.Secondary:
		return zoneOfFile(&h.File, name)
	case auto.Auto:
		return zoneOfAuto(&h, name)
	case *auto.Auto:
		return zoneOfAuto(h, name)
	}
	return evidence.Zone{}
}

func zoneOfFile(f *file.File, name string) evidence.Zone {
	if f.ZoneLookupFunc != nil {
		origin, z, ok := f.ZoneLookupFunc(name)
		if !ok {
			return evidence.Zone{State: evidence.ZoneAbsent}
		}
		return stateOf(origin, z)
	}
	origin := plugin.Zones(f.Names).Matches(name)
	if origin == "" {
		return evidence.Zone{State: evidence.ZoneAbsent}
	}
	return stateOf(origin, f.Z[origin])
}

func zoneOfAuto(a *auto.Auto, name string) evidence.Zone {
	origin := plugin.Zones(a.Zones.Names()).Matches(name)
	if origin == "" {
		return evidence.Zone{State: evidence.ZoneAbsent}
	}
	return stateOf(origin, a.Zones.Zones(origin))
}

func stateOf(origin string, z *file.Zone) evidence.Zone {
	if z == nil {
		return evidence.Zone{Name: origin, State: evidence.ZoneNotLoaded}
	}
	z.RLock()
	defer z.RUnlock()
	switch {
	case z.Expired:
		return evidence.Zone{Name: origin, State: evidence.ZoneExpired}
	case z.SOA == nil:
		return evidence.Zone{Name: origin, State: evidence.ZoneNotLoaded}
	}
	return evidence.Zone{Name: origin, State: evidence.ZoneLoaded}
}

// lower is the form in which CoreDNS compares names.
func lower(name string) string { return strings.ToLower(dns.Fqdn(name)) }
