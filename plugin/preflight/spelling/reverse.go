package spelling

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

const (
	tree4 = "in-addr.arpa"
	tree6 = "ip6.arpa"

	maxName = 255 // RFC 1035 section 2.3.4
)

// Reverse returns the reverse zone that zone looks like, "" if it is one or
// looks like none. e is what else the Corefile says.
func Reverse(zone string, e Evidence) string {
	if len(zone) > maxName {
		return ""
	}
	name := strings.TrimSuffix(zone, ".")
	if groups, ok := strings.CutSuffix(name, "."+tree6); ok {
		if strings.Contains(groups, ":") {
			return meantNibbles(strings.FieldsFunc(groups, func(r rune) bool { return r == ':' || r == '.' }), e)
		}
		return meantNibbles(strings.Split(groups, "."), e)
	}
	if part, rest, ok := strings.Cut(name, "."); ok && classless(part) {
		if meant := Reverse(rest, e); meant != "" && meant != tree4+"." {
			return part + "." + meant
		}
		return ""
	}
	rest := name
	for more := true; more; {
		var label, behind string
		if label, behind, more = strings.Cut(rest, "."); !isNibbleOrOctet(label) {
			break
		}
		rest = behind
	}
	if part, tree, _ := strings.Cut(rest, "."); tree == tree4 && rest != name && classless(part) {
		return tree4 + "." // 192.0.2.0/24 below the tree
	}
	letters := squeezed(rest)
	if !slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(letters, part) }) {
		return ""
	}
	numbers := strings.FieldsFunc(strings.TrimSuffix(name, rest), func(r rune) bool { return r == '.' })
	glued := false
	if digits, behind := leadingDigits(rest); digits != "" && startsTree(behind) {
		numbers, rest, glued = append(numbers, digits), behind, true
		letters = squeezed(rest)
	}
	for _, tree := range []string{tree4, tree6} {
		right := rest == tree
		if !right && !cutShort(rest, tree, len(numbers)) &&
			(rest == "" || !alike(letters, squeezed(tree)) || Distance(rest, tree) > 4) && (tree != tree6 || rest != "ip6.int") {
			continue
		}
		meant := ""
		if tree == tree4 {
			meant = wrongOctets(numbers, e)
		} else {
			meant = meantNibbles(numbers, e)
		}
		if meant == "" && (!right || glued) {
			meant = strings.Join(append(slices.Clone(numbers), tree), ".") + "."
		}
		return meant
	}
	return ""
}

// leadingDigits cuts the number off that stands at the beginning of s, and a hyphen or
// an underscore behind it.
func leadingDigits(s string) (digits, rest string) {
	rest = strings.TrimLeft(s, "0123456789")
	return strings.TrimSuffix(s, rest), strings.TrimLeft(rest, "-_")
}

// startsTree reports whether s begins as a reverse tree does.
func startsTree(s string) bool {
	return strings.HasPrefix(s, "in-addr") || strings.HasPrefix(s, "inaddr") || strings.HasPrefix(s, "ip6")
}

// parts are more of each tree than the slips of one that is alike can break.
var parts = []string{"in", "ad", "dr", "ar", "pa", "ip", "6"}

// cutShort reports whether rest, what stands behind n octets or nibbles, is a part
// of tree alone, or tree within another zone.
func cutShort(rest, tree string, n int) bool {
	first, _, _ := strings.Cut(tree, ".")
	return tree == tree4 && (rest == "in-addr" || n > 0 && squeezed(rest) == "inarpa") || strings.HasPrefix(rest, tree+".") || n > 0 && (rest == first || rest == "arpa" && tree == tree4)
}

// meantNibbles returns the zone that labels under ip6.arpa were meant to make: those
// that are groups of digits, and digits that are not in reverse order. "" if they are
// right, or no digits.
func meantNibbles(labels []string, e Evidence) string {
	single := true
	for _, l := range labels {
		if len(l) > 4 || strings.Trim(l, "0123456789abcdef") != "" {
			return ""
		}
		single = single && len(l) == 1
	}
	digits := strings.Join(labels, "")
	turned := strings.Split(digits, "")
	slices.Reverse(turned)
	switch {
	case len(labels) == 0:
		return ""
	case single && (len(digits) < 4 || !global(digits)):
		return ""
	case single && strings.ContainsAny(digits[len(digits)-1:], "0235f"): // the network is one that there may be
		written, meant := network6(strings.Join(turned, "")), network6(digits)
		if written == meant || !meant.IsValid() || e.spoken(written) || !e.spoken(meant) {
			return ""
		}
		return strings.Join(append(turned, tree6), ".") + "."
	case single:
		return strings.Join(append(turned, tree6), ".") + "."
	case !global(labels[0]) || len(labels[0]) != 4:
		return tree6 + "."
	}
	for i, l := range labels {
		labels[i] = strings.Repeat("0", 4-len(l)) + l
	}
	turned = strings.Split(strings.Join(labels, ""), "")
	slices.Reverse(turned)
	return strings.Join(append(turned, tree6), ".") + "."
}

// classless reports whether label may be the name of a part of a network (RFC 2317 section 4).
func classless(label string) bool {
	first, rest, ok := strings.Cut(strings.ReplaceAll(label, "/", "-"), "-")
	return ok && isNibbleOrOctet(first) && isNibbleOrOctet(rest)
}

// global reports whether digits begin an address of a network that people have: 2000::/3,
// fc00::/7 or fe80::/10.
func global(digits string) bool {
	return strings.HasPrefix(digits, "2") || strings.HasPrefix(digits, "3") ||
		strings.HasPrefix(digits, "fc") || strings.HasPrefix(digits, "fd") || strings.HasPrefix(digits, "fe")
}

// squeezed leaves letters and digits, so that in.addr.arpa is in-addr-arpa.
func squeezed(s string) string { return separators.Replace(s) }

var separators = strings.NewReplacer(".", "", "-", "", "_", "")

// alike reports whether a may be a slip for b.
func alike(a, b string) bool {
	most := 1 + len(b)/8
	return max(len(a), len(b))-min(len(a), len(b)) <= most && Distance(a, b) <= most
}

func isNibbleOrOctet(label string) bool {
	if len(label) == 1 && strings.Contains("abcdef", label) {
		return true
	}
	return label != "" && strings.Trim(label, "0123456789") == ""
}

// wrongOctets finds octets that are none, and networks that are not written in reverse.
// A network that somebody may have as it stands is one that was meant, unless the Corefile
// says otherwise.
func wrongOctets(numbers []string, e Evidence) string {
	octets := make([]byte, len(numbers))
	for i, n := range numbers {
		v, err := strconv.ParseUint(n, 10, 8)
		if err != nil || len(numbers) > 4 {
			return tree4 + "."
		}
		octets[i] = byte(v)
	}
	if len(octets) < 2 {
		return ""
	}
	turned := network4(octets)
	slices.Reverse(octets)
	written := network4(octets)
	if !unreversed(written, turned, e) {
		return ""
	}
	numbers = slices.Clone(numbers)
	slices.Reverse(numbers)
	return strings.Join(append(numbers, tree4+"."), ".")
}

// unreversed reports whether a zone of the network written is meant for the network turned,
// which has its octets in the other order. No host has an address of 0.0.0.0/8, and few have
// one of 240.0.0.0/4 (RFC 6890).
func unreversed(written, turned netip.Prefix, e Evidence) bool {
	first, last := written.Addr().As4()[0], turned.Addr().As4()[0]
	const reserved = 240
	switch {
	case written == turned, last == 0 || last >= reserved:
		return false
	case first == 0:
		return true
	case Private(written), first < reserved && e.spoken(written):
		return false
	case first >= reserved, e.Private:
		return Private(turned) || e.spoken(turned)
	case slices.Contains(usual, turned):
		return true
	}
	return (Private(turned) || turned.Bits() > 16) && e.spoken(turned)
}
