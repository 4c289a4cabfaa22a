package figures

import (
	"strings"
	"time"
)

const chartHeight = 6

// eighths are the blocks that fill a cell from below.
var eighths = []rune(" ▁▂▃▄▅▆▇█")

// chart draws the timeline, transient and persistent together, as tall bars.
func (p *page) chart(r *Report) {
	if r.Timeline == nil || len(r.Timeline.Counts) < 2 {
		return
	}
	counts := rebin(r.Timeline.Counts, p.Width-12)
	width := time.Duration(r.Timeline.WidthSeconds * float64(time.Second))
	per := (len(r.Timeline.Counts) + len(counts) - 1) / len(counts)
	p.section("TIMELINE", "a column is "+spanOf(width*time.Duration(per)))
	var most uint64
	for _, n := range counts {
		most = max(most, n)
	}
	for row := chartHeight - 1; row >= 0; row-- {
		label := ""
		switch row {
		case chartHeight - 1:
			label = comma(most)
		case 0:
			label = "0"
		}
		p.printf("%10s ", label)
		var cells strings.Builder
		for _, n := range counts {
			level := 0
			if most > 0 {
				level = int((float64(n)/float64(most))*chartHeight*8+0.5) - row*8
			}
			if n > 0 && row == 0 {
				level = max(level, 1) // a failure is never drawn as none
			}
			cells.WriteRune(eighths[min(max(level, 0), 8)])
		}
		p.printf("%s\n", p.paint(yellow, strings.TrimRight(cells.String(), " ")))
	}
	p.axis(r.Timeline.Start, width*time.Duration(per), len(counts))
}

// axis writes the time at the left end, and at the right end if there is room.
func (p *page) axis(start time.Time, column time.Duration, columns int) {
	layout := "15:04:05"
	if column*time.Duration(columns) > 24*time.Hour {
		layout = "Jan 02 15:04"
	}
	left := start.In(p.Location).Format(layout)
	right := start.Add(column * time.Duration(columns)).In(p.Location).Format(layout)
	gap := columns - len(left) - len(right)
	if gap < 1 {
		right, gap = "", 0
	}
	p.printf("%11s%s\n", "", p.paint(faint, left+strings.Repeat(" ", gap)+right))
}

// rebin adds neighbours up until there are at most width columns.
func rebin(counts []uint64, width int) []uint64 {
	per := (len(counts) + width - 1) / width
	if per <= 1 {
		return counts
	}
	out := make([]uint64, (len(counts)+per-1)/per)
	for i, n := range counts {
		out[i/per] += n
	}
	return out
}

// spark draws counts on one line.
func spark(counts []uint64) string {
	var most uint64
	for _, n := range counts {
		most = max(most, n)
	}
	var b strings.Builder
	for _, n := range counts {
		level := 0
		if n > 0 {
			level = 1 + int(float64(n)/float64(most)*7)
		}
		b.WriteRune(eighths[level])
	}
	return strings.TrimRight(b.String(), " ")
}
