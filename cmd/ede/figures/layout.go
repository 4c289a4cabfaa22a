package figures

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/dustin/go-humanize"
	"golang.org/x/text/width"
)

func comma(n uint64) string { return humanize.Comma(int64(n)) }

func plural(n uint64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// percent never rounds something to nothing, nor nearly all to all.
func percent(n, total uint64) string {
	switch {
	case total == 0 || n == 0:
		return "0%"
	case n >= total:
		return "100%"
	}
	share := float64(n) / float64(total) * 100
	switch {
	case share < 1:
		return "<1%"
	case share > 99:
		return ">99%"
	}
	return fmt.Sprintf("%.0f%%", share)
}

func plainCount(n, total uint64) string {
	return comma(n) + plural(n, " failure", " failures") + " (" + percent(n, total) + ")"
}

// spanOf writes a stretch of time with its two greatest units.
func spanOf(d time.Duration) string {
	units := []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}}
	for i, u := range units {
		if d < u.of {
			continue
		}
		text := fmt.Sprintf("%d%s", d/u.of, u.name)
		if i+1 < len(units) {
			if rest := d % u.of / units[i+1].of; rest > 0 {
				text += fmt.Sprintf("%d%s", rest, units[i+1].name)
			}
		}
		return text
	}
	return "under 1s"
}

// columns is the room a character takes in a terminal.
func columns(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

func textWidth(s string) (n int) {
	for _, r := range s {
		n += columns(r)
	}
	return n
}

// fit cuts s in the middle, where names differ least, to n columns.
func fit(s string, n int) string {
	if textWidth(s) <= n {
		return s
	}
	if n < 1 {
		return ""
	}
	runes := []rune(s)
	head, tail, room := 0, len(runes), n-1
	for used := 0; ; {
		if used += columns(runes[head]); used > room {
			break
		}
		head++
		if used += columns(runes[tail-1]); used > room {
			break
		}
		tail--
	}
	return string(runes[:head]) + "…" + string(runes[tail:])
}

func pad(s string, n int) string {
	s = fit(s, n)
	return s + strings.Repeat(" ", n-textWidth(s))
}

// wrap breaks text between words; a word longer than a line is cut.
func (p *page) wrap(indent, text string) {
	p.printf("%s", indent)
	p.wrapFrom(indent, text)
}

// wrapFrom is wrap on a line that is as long as indent already.
func (p *page) wrapFrom(indent, text string) {
	room, line := p.Width-len(indent), ""
	for _, word := range strings.Fields(text) {
		word = fit(word, room)
		if line != "" && textWidth(line)+1+textWidth(word) > room {
			p.printf("%s\n%s", line, indent)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	p.printf("%s\n", line)
}

func boundNote(tables ...Top) string {
	most := uint64(0)
	for _, t := range tables {
		most = max(most, t.Bound)
	}
	if most > 0 {
		return "counts may be up to " + comma(most) + " too high"
	}
	return ""
}
