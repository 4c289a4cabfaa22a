package chain

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/miekg/dns"
)

// PastForwards says how to have link i asked, of which forwards above it, and others, take
// all questions that a block of these zones gets; stops are those. It is "" if no forward
// does, or nothing better is known than to remove it.
func (c *Chain) PastForwards(i int, stops map[int]bool, block []string) string {
	l := &c.Links[i]
	var above []*Link
	for j := range c.Links {
		if stops[j] && c.Links[j].Name == "forward" {
			above = append(above, &c.Links[j])
		}
	}
	if len(above) == 0 || len(l.Zones) == 0 {
		return ""
	}
	for _, wide := range above {
		switch {
		case coversAll(l.Zones, block) || slices.ContainsFunc(l.Zones, func(z string) bool { return wide.zones.holds(z) || !wide.zones.has(z) }):
		case l.Name == "forward":
			return fmt.Sprintf("write it (or the import that brings it) above the forward of %s: a query goes to the first forward whose zone contains the name", where(l, wide))
		default:
			return fmt.Sprintf("write `except %s` in the forward of %s: %s is asked after forward, whatever their order in the file", written(l.Zones), where(l, wide), l.Name)
		}
	}
	switch {
	case l.Name != "forward" || len(above) < len(stops):
		return ""
	case len(above) > 1:
		return fmt.Sprintf("remove it: all names that come to this block go to the forwards of %s; other names need a block of their own", where(l, above...))
	case slices.Equal(above[0].Zones, l.Zones):
		return fmt.Sprintf("remove one of the two; or, if the servers of both know the same names, write all addresses into the first forward, for example `forward %s 192.0.2.1 192.0.2.2`: it asks one of them at random, and another when that one is down; with `policy sequential` it asks the second only when the first is down", written(l.Zones))
	}
	return fmt.Sprintf("keep the one of the two that you mean: all names that come to this block go to the forward of %s; other names need a block of their own", where(l, above...))
}

// Endings says what may answer names under zones below a hosts or template that
// does not. None of it takes a name from another plugin of the block.
func (c *Chain) Endings(zones, block []string) string {
	const forward = "the line `forward . ADDRESS`"
	var hosts, typed bool
	for i := range c.Links {
		switch l := &c.Links[i]; {
		case !slices.ContainsFunc(zones, l.MayAnswer):
		case l.Name == "hosts":
			hosts = true
		case l.template != nil:
			typed = typed || l.Typed()
		default:
			return forward
		}
	}
	own := ""
	if !coversAll(zones, block) {
		own = " " + written(zones)
	}
	empty := "`template ANY ANY" + own + "` with `rcode NOERROR` as the last template, for an empty answer"
	file := "`file FILE" + own + "` with a zone that has only an SOA record, for NXDOMAIN"
	switch {
	case typed && hosts:
		return forward
	case typed:
		return empty + ", or, if a server has the other records of these names, " + forward
	case hosts:
		return forward + ", or " + file
	}
	return forward + ", or " + empty + ", or " + file
}

// PassOn says how to make link i, a hosts or template, pass on names under zones, and the
// templates below it that would fail them then. The types are those that fail, all if there
// are none.
func (c *Chain) PassOn(i int, zones []string, types []uint16) string {
	l := &c.Links[i]
	fix := "add the line `fallthrough` to template"
	if l.Name == "hosts" {
		fix = "add the line `fallthrough` at the end of hosts"
	}
	if args, _ := l.Option("fallthrough"); slices.Equal(args, []string{"}"}) {
		fix = "write the `}` behind `fallthrough` on a line of its own: CoreDNS reads it as a zone"
	} else if len(args) > 0 {
		fix = fmt.Sprintf("write `fallthrough`, without zones, in place of `fallthrough %s` in %s", written(args), l.Name)
	}
	var also []*Link
	for j := i + 1; j < len(c.Links); j++ {
		t := c.Links[j].template
		if t == nil || l.template == nil || len(t.texts) == 0 || c.Links[j].Typed() && len(types) > 0 && !slices.Contains(types, t.qtype) {
			continue
		}
		if slices.ContainsFunc(zones, func(z string) bool { return Overlapping(c.Links[j].Zones, z) && !c.Links[j].fall.has(z) }) {
			also = append(also, &c.Links[j])
		}
	}
	if len(also) > 0 {
		fix += ", and the same to the template of " + where(l, also...)
	}
	return fix
}

// Typed reports whether l is a template for one type.
func (l *Link) Typed() bool { return l.template != nil && l.template.qtype != dns.TypeANY }

// Blocks reports whether l is a template that answers NXDOMAIN for all names of its zones,
// and nothing else.
func (l *Link) Blocks() bool {
	if l.template == nil || l.Typed() || l.Matches() {
		return false
	}
	rcode, _ := l.Option("rcode")
	_, answers := l.Option("answer")
	return !answers && slices.Equal(rcode, []string{"NXDOMAIN"})
}

// coversAll reports whether every name of a block of these zones lies in zones.
func coversAll(zones, block []string) bool {
	return !slices.ContainsFunc(block, func(z string) bool { return !Covered(zones, z) })
}

// written is how zones stand in a line of the Corefile.
func written(zones []string) string {
	const most = 3
	if len(zones) > most {
		return "ZONES"
	}
	var words []string
	for _, z := range zones {
		words = append(words, z[:max(1, len(strings.TrimSuffix(z, ".")))])
	}
	return Printable(strings.Join(words, " "))
}

// ForPTR says how a hosts of reverse zones gets the names of PTR records, which lie outside, ""
// if it is to give none.
func (l *Link) ForPTR() string {
	if l.hosts.noReverse {
		return ""
	}
	file := "/etc/hosts"
	if args := l.Args(); len(args) > 0 {
		file = Printable(args[0])
	}
	return "for PTR queries write `hosts " + file + " .`: hosts has no PTR record of a name outside of its zones, which are those of the block if none stand behind its file"
}

// Printable is s without what a terminal may act on.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}

// where tells the lines of others, and their file if it is not that of l.
func where(l *Link, others ...*Link) string {
	var places []string
	for _, o := range others {
		place := fmt.Sprintf("line %d", o.Line)
		if o.File != l.File {
			place += " of " + Printable(o.File)
		}
		places = append(places, place)
	}
	return strings.Join(places, " and ")
}
