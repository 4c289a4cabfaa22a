// Package spelling finds words of a Corefile that are not what was meant: reverse zones
// that are misspelt, zones that have no name that a client asks for, and the word that
// is nearest to another.
package spelling

import (
	"slices"
	"strings"
)

// Distance is the number of letters to insert, delete, change or swap with
// their neighbour that make b of a.
func Distance(a, b string) int {
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

// Nearest returns which of names name may be a misspelling of, "" if there is none.
func Nearest(name string, names []string) string {
	const little = 3 // of a shorter name little is left
	best, least := "", len(name)
	if least < little {
		return ""
	}
	for _, known := range names {
		most := min(2, len(name)/3, len(known)/3)
		if d := Distance(strings.ToLower(name), known); d <= most && d < least {
			best, least = known, d
		}
	}
	return best
}

// Property returns a line with the one of names of which its first word is a misspelling,
// "" if it is of none. What stands behind a colon or = is its value.
func Property(words, names []string) string {
	name, value := words[0], ""
	if i := strings.IndexAny(name, ":="); i > 0 {
		name, value = name[:i], name[i+1:]
	}
	if !slices.Contains(names, name) {
		name = Nearest(name, names)
	}
	if name == "" {
		return ""
	}
	return strings.Join(strings.Fields(name+" "+value+" "+strings.Join(words[1:], " ")), " ")
}
