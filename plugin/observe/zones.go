package observe

import (
	"strings"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/auto"
	"github.com/coredns/coredns/plugin/file"
	"github.com/coredns/coredns/plugin/secondary"
	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/overheard"
)

// zoneOf reads the state of the zone of h that name falls into.
func zoneOf(h plugin.Handler, name string) evidence.Zone {
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
	name = lower(name)
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
	names := a.Zones.Names()
	if len(names) == 0 {
		return evidence.Zone{State: evidence.ZoneNone}
	}
	origin := plugin.Zones(names).Matches(lower(name))
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

// overheard is the last error that the plugin below t logged about the data that e would
// have been answered from. An error about another zone is none.
func (l *Ladder) overheard(t *tap, e *evidence.Evidence) evidence.Overheard {
	switch t.name {
	case "kubernetes", "nomad":
		return l.Ear.Why(t.name, "")
	case "file", "auto":
		return l.Ear.Why(t.name, e.Zone.Name)
	case "secondary":
		return l.ofSecondary(t, e.Zone.Name)
	case "dynupdate":
		return l.Ear.Why(t.name, lower(e.Question.Name))
	case "route53", "azure", "clouddns":
		return l.Ear.Why(t.name, above(e.Asked.Name)...)
	}
	return evidence.Overheard{}
}

// ofSecondary looks for a failed transfer of zone, which file does for secondary and
// logs, then for the failed question for the serial, which is logged with the primary's
// address alone.
func (l *Ladder) ofSecondary(t *tap, zone string) evidence.Overheard {
	if zone == "" {
		return evidence.Overheard{}
	}
	topics := append([]string{zone}, primariesOf(t.next, zone)...)
	if heard := l.Ear.Why(overheard.Transfers, topics...); heard.Text != "" {
		return heard
	}
	return l.Ear.Why("secondary", zone)
}

// primariesOf are the addresses that zone is transferred from.
func primariesOf(h plugin.Handler, zone string) []string {
	s, ok := h.(*secondary.Secondary)
	if !ok {
		return nil
	}
	z := s.Z[zone]
	if s.ZoneLookupFunc != nil {
		if origin, found, ok := s.ZoneLookupFunc(zone); ok && origin == zone {
			z = found
		}
	}
	return transferFrom(z)
}

func transferFrom(z *file.Zone) []string {
	if z == nil {
		return nil
	}
	return z.TransferFrom
}

// above are name and the names above it, in lower case, the closest first.
func above(name string) []string {
	name = strings.ToLower(dns.Fqdn(name))
	all := make([]string, 0, 4)
	for _, i := range dns.Split(name) {
		all = append(all, name[i:])
	}
	return all
}
