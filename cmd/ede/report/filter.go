package report

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/figures"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/found"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logline"
)

// A Filter says which failures a report is about. The zero value is all.
type Filter struct {
	// Since and Until bound the time of a line; zero is unbounded. A line
	// without time is outside of any bound.
	Since, Until time.Time
	// Causes are names of the catalog; none is all, as with the others.
	Causes []string
	// Zones hold the names below them too. Lower case, with the final dot.
	Zones []string
	// Clients are networks.
	Clients []netip.Prefix
}

// apply says whether the record is wanted. Of a summary that is wanted in part
// it leaves the count that certainly is.
func (f *Filter) apply(r *logline.Record, left *figures.Filtered) bool {
	counts := r.Kind == logline.Query || r.Kind == logline.Summary
	if len(f.Causes) > 0 && !f.cause(r.Get(logline.Cause)) {
		return false
	}
	if !f.covers(r.Time) {
		if r.Time.IsZero() && counts {
			left.Undated += r.Count
		}
		return false
	}
	if len(f.Clients) > 0 {
		if r.Kind == logline.Summary {
			left.Undecided += r.Count
			return false
		}
		if !f.client(r.Get(logline.ClientIP)) {
			return false
		}
	}
	return len(f.Zones) == 0 || f.zone(r, left)
}

// covers reports whether the report is about that time.
func (f *Filter) covers(at time.Time) bool {
	if f.Since.IsZero() && f.Until.IsZero() {
		return true
	}
	return !at.IsZero() && !at.Before(f.Since) && (f.Until.IsZero() || at.Before(f.Until))
}

func (f *Filter) cause(cause []byte) bool {
	for _, want := range f.Causes {
		if want == string(cause) {
			return true
		}
	}
	return false
}

// client compares addresses, and prefixes where the log has only these.
func (f *Filter) client(text []byte) bool {
	addr, err := netip.ParseAddr(string(text))
	if err != nil {
		prefix, err := netip.ParsePrefix(string(text))
		if err != nil {
			return false
		}
		addr = prefix.Addr()
	}
	for _, p := range f.Clients {
		if p.Contains(addr.Unmap()) {
			return true
		}
	}
	return false
}

func (f *Filter) zone(r *logline.Record, left *figures.Filtered) bool {
	name := string(r.Get(logline.QName))
	if name == "" {
		name = string(r.Get(logline.Zone))
	}
	if strings.HasPrefix(name, "(") {
		name = "" // many zones put together
	}
	above := false
	for _, zone := range f.Zones {
		if name != "" && within(name, zone) {
			return true
		}
		above = above || name == "" || within(zone, name)
	}
	if r.Kind != logline.Summary || !above {
		return false
	}
	var sure uint64
	for top, n := range r.TopNames {
		if f.holds(string(top)) {
			sure += n
		}
	}
	sure = min(sure, r.Count)
	left.Undecided += r.Count - sure
	if sure == 0 {
		return false
	}
	r.CachedCount = r.CachedCount * sure / r.Count
	r.Count = sure
	return true
}

// holds reports whether name is in one of the zones.
func (f *Filter) holds(name string) bool {
	return slices.ContainsFunc(f.Zones, func(zone string) bool { return within(name, zone) })
}

// ParseZones puts names as people type them into the form of a Filter.
func ParseZones(names []string) []string {
	var zones []string
	for _, n := range names {
		zones = append(zones, strings.ToLower(strings.TrimSuffix(n, "."))+".")
	}
	return zones
}

// ParseClients reads addresses and networks in CIDR notation.
func ParseClients(texts []string) ([]netip.Prefix, error) {
	var clients []netip.Prefix
	for _, text := range texts {
		if addr, err := netip.ParseAddr(text); err == nil {
			addr = addr.Unmap()
			clients = append(clients, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("client %q is neither an address nor a network", text)
		}
		clients = append(clients, prefix.Masked())
	}
	return clients, nil
}

// ParseTime reads a point in time: how long ago ("90m"), today's time of day
// ("14:02"), a date, or both in RFC 3339.
func ParseTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil {
		return now.Add(-ago.Abs()), nil
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			y, m, d := now.Date()
			return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, now.Location()), nil
		}
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("time %q is not like 90m, 14:02, 2026-11-20 14:02 or RFC 3339", text)
}

// within says whether name is zone or below it. Both are in lower case, with
// the final dot.
func within(name, zone string) bool { return found.Within(name, zone) }
