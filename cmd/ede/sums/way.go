package sums

import (
	"fmt"
	"hash/crc32"
	"slices"
	"strings"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/victorialogs"
	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
)

// finding is what one finding has in common, with the upstream that it is of.
const finding = "cause, zone, result, refines, at, upstream"

// mostPlaces keeps a row below the 256 KiB that a store takes by default.
const mostPlaces = " limit 4096 as places"

// The tables that tell which failures a diagnosis explains. A row has its places in a list: the
// listener, where no instance is told, and the instance, which may have spaces.
var (
	// Diagnosis is what diagnoses found.
	Diagnosis = Table{Name: "diagnosis", Of: Diagnoses,
		Make: ` | format if (zone:"") "<qname>" as zone | format if (instance:*) "" as server | format "<server> <instance>" as place` +
			" | stats by (" + finding + ") count() as n, max(_time) as last, row_max(_time, _time, owner, text, advice) as said, uniq_values(place)" + mostPlaces,
		Again: " | stats by (" + finding + ") sum(n) as n, row_max(last, said) as said, values(places) as places | unpack_json from said fields (said)" +
			" | unroll (places) | unroll (places) | stats by (" + finding + ", n, said) uniq_values(places)" + mostPlaces}
	// Way is the failures that a diagnosis may explain, by zone.
	Way = Table{Name: "way", Parted: true, Of: Failures, Make: ` zone:* !zone:="("* ` + victorialogs.In("cause", Refinable()) + Ways + PackWays}
)

// Ways sums up failures by zone and by the way that they went, and WaysAgain does so with rows
// of several hours. PackWays makes one row of all that went to an upstream, whose places are
// "17 dns://:53 " or "17  edge-1", and UnpackWays takes it apart.
const (
	Ways = " | stats by (zone, cause, at, upstream, server, instance) count() as lines, count(count) as told, sum(count) as summed" +
		` | math lines - told + (summed default 0) as n | format if (instance:*) "" as server | rename zone as key` + WaysAgain
	WaysAgain  = " | stats by (key, cause, at, upstream, server, instance) sum(n) as n"
	PackWays   = ` | format "<n> <server> <instance>" as place | stats by (key, cause, at, upstream) values(place)` + mostPlaces
	UnpackWays = ` | unroll (places) | extract "<n> <plain:server> <plain:instance>" from places | fields key, cause, at, upstream, server, instance, n`
)

// Refinable are the causes behind which a diagnosis may find another.
func Refinable() (ids []string) {
	for _, c := range cause.All() {
		if c.Refinable() {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// An hour of a fleet may have tens of thousands of names and ways, and a report asks for what
// there is to know of a few names and zones. So the rows of a table with Parted are in so many
// parts, by zone.
const numParts = 32

// partOf is the part for a zone and all below it. A zone that other parts are below has
// "-few", as it has few labels.
func partOf(zone string) string {
	base, whole := baseOf(zone)
	if !whole {
		return "-few"
	}
	return fmt.Sprintf("-%02d", crc32.ChecksumIEEE([]byte(base))%numParts)
}

// shared are second labels below which many have zones, as in co.uk and 10.in-addr.arpa.
var shared = []string{"ac", "co", "com", "edu", "go", "gov", "in-addr", "ip6", "ne", "net", "or", "org"}

// baseOf is what names have in common that are put into one part: two labels, or three below
// one that is shared. What it is must not change, as rows stay for as long as lines.
func baseOf(zone string) (base string, whole bool) {
	labels := strings.Split(strings.ToLower(strings.TrimSuffix(zone, ".")), ".")
	n := 2
	if len(labels) >= n && slices.Contains(shared, labels[len(labels)-n]) {
		n++
	}
	if len(labels) < n {
		return "", false
	}
	return strings.Join(labels[len(labels)-n:], "."), true
}

// Only is the table with the parts of these keys alone.
func (t Table) Only(keys []string) Table {
	t.parts = nil
	for _, key := range keys {
		if part := t.Name + partOf(key); !slices.Contains(t.parts, part) {
			t.parts = append(t.parts, part)
		}
	}
	return t
}

// Within is the table with the parts of these zones alone, of those above them, and of those
// below.
func (t Table) Within(zones []string) Table {
	for _, zone := range zones {
		if _, whole := baseOf(zone); !whole {
			t.parts = nil // all may be below it
			return t
		}
	}
	return t.Only(append([]string{"."}, zones...))
}

// streams is a filter for the streams of the table.
func (t Table) streams() string {
	switch {
	case !t.Parted:
		return `{plugin="` + plugin + `",table="` + t.Name + `"}`
	case t.parts == nil:
		return `{plugin="` + plugin + `",table=~"` + t.Name + `-.+"}`
	default:
		return `{plugin="` + plugin + `",table=~"` + strings.Join(t.parts, "|") + `"}`
	}
}
