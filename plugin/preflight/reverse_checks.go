package preflight

import (
	"slices"
	"strconv"
	"strings"
)

// findMisspeltZones looks for zones that were meant to be reverse ones, in the
// keys and in what plugins are for.
func findMisspeltZones(_ *config, s *server) []finding {
	var all []finding
	for _, z := range s.zones {
		if meant := meantReverse(z); meant != "" {
			all = append(all, atBlock(s, listed(z), listed(meant)))
		}
	}
	for i := range s.chain.Links {
		l := &s.chain.Links[i]
		for _, zones := range [][]string{l.Zones, l.Fall, l.Except} {
			for _, z := range zones {
				if meant := meantReverse(z); meant != "" && !slices.Contains(s.zones, z) {
					all = append(all, at(l.Directive, listed(z), listed(meant)))
				}
			}
		}
	}
	return all
}

// meantReverse returns the reverse zone that zone looks like, "" if it is one or
// looks like none.
func meantReverse(zone string) string {
	rest := strings.TrimSuffix(zone, ".")
	for more := true; more; {
		var label, behind string
		if label, behind, more = strings.Cut(rest, "."); !isNibbleOrOctet(label) {
			break
		}
		rest = behind
	}
	letters := squeezed(rest)
	if !slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(letters, part) }) {
		return ""
	}
	numbers := strings.FieldsFunc(strings.TrimSuffix(strings.TrimSuffix(zone, "."), rest), func(r rune) bool { return r == '.' })
	for _, tree := range []string{"in-addr.arpa", "ip6.arpa"} {
		switch {
		case rest == tree:
			if tree == "in-addr.arpa" {
				return wrongOctets(numbers)
			}
			return ""
		case cutShort(rest, tree, len(numbers)):
			return strings.Join(append(slices.Clone(numbers), tree), ".") + "."
		case rest != "" && alike(letters, squeezed(tree)) && distance(rest, tree) <= 4:
			return strings.Join(append(slices.Clone(numbers), tree), ".") + "."
		}
	}
	return ""
}

// parts are more of each tree than the slips of one that is alike can break.
var parts = []string{"in", "ad", "dr", "ar", "pa", "ip", "6"}

// cutShort reports whether rest, what stands behind n octets or nibbles, is a part
// of tree alone, or tree within another zone.
func cutShort(rest, tree string, n int) bool {
	first, _, _ := strings.Cut(tree, ".")
	return rest == "in-addr" || strings.HasPrefix(rest, tree+".") || n > 0 && (rest == first || rest == "arpa" && tree == "in-addr.arpa")
}

// squeezed leaves letters and digits, so that in.addr.arpa is in-addr-arpa.
func squeezed(s string) string { return separators.Replace(s) }

var separators = strings.NewReplacer(".", "", "-", "", "_", "")

// alike reports whether a may be a slip for b.
func alike(a, b string) bool {
	most := 1 + len(b)/8
	return max(len(a), len(b))-min(len(a), len(b)) <= most && distance(a, b) <= most
}

func isNibbleOrOctet(label string) bool {
	if len(label) == 1 && strings.Contains("abcdef", label) {
		return true
	}
	return label != "" && strings.Trim(label, "0123456789") == ""
}

// wrongOctets finds octets that are none, and private networks that are not
// written in reverse.
func wrongOctets(numbers []string) string {
	for _, n := range numbers {
		if v, err := strconv.Atoi(n); err != nil || v > 255 {
			return "in-addr.arpa."
		}
	}
	if len(numbers) < 2 || len(numbers) > 4 {
		if len(numbers) > 4 {
			return "in-addr.arpa."
		}
		return ""
	}
	private := func(a, b string) bool {
		n, _ := strconv.Atoi(b)
		return a == "192" && b == "168" || a == "172" && n >= 16 && n < 32
	}
	last := len(numbers) - 1
	if private(numbers[0], numbers[1]) && !private(numbers[last], numbers[last-1]) && numbers[last] != "10" {
		turned := slices.Clone(numbers)
		slices.Reverse(turned)
		return strings.Join(append(turned, "in-addr.arpa."), ".")
	}
	return ""
}

// distance is the number of letters to insert, delete, change or swap with
// their neighbour that make b of a.
func distance(a, b string) int {
	const most = 64
	if len(a) > most || len(b) > most {
		return most
	}
	var rows [most + 1][most + 1]uint8
	for i := range uint8(most + 1) {
		rows[i][0], rows[0][i] = i, i
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return int(rows[len(a)][len(b)])
}
