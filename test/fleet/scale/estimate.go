package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

const (
	// perSecond is how many lines the fleet of the estimate writes.
	perSecond = instances * 100
	// summarised is how many it writes in an hour if it logs summaries.
	summarised = instances * 2 * 3600
	nodes      = 64 // processors
)

// estimate is what 1,000 instances would cost that write a hundred lines a second each, if it
// grows with the lines as it did here.
func (r *result) estimate(lines int) string {
	each := func(of time.Duration) time.Duration { return of / time.Duration(lines) }
	processors := func(of time.Duration) string {
		return fmt.Sprintf("%.1f processors: %.1f µs of CPU a line", each(of).Seconds()*perSecond, float64(each(of).Nanoseconds())/1e3)
	}
	octets := float64(r.stored) / float64(lines)
	hour := each(r.store.cpu) * perSecond * 3600
	var b strings.Builder
	b.WriteString("| | |\n|---|---|\n")
	for _, row := range [][2]string{
		{"lines", fmt.Sprintf("%s a second, %s/s as JSON", number(perSecond), size(r.files/int64(lines)*perSecond))},
		{"store", fmt.Sprintf("%.0f octets a line: %s a day, %s in 30 days", octets, round(octets*perSecond*86400), round(octets*perSecond*86400*30))},
		{"taking in", processors(r.taking)},
		{"summing up", processors(r.rollup.cpu)},
		{"report from the sums of a day", fmt.Sprintf("%s of CPU, with names and clients as above", span(r.sums.cpu))},
		{"report from the lines of an hour", fmt.Sprintf("%.0f million lines at %.1f µs of CPU: %s, or %s with %d processors in all nodes", perSecond*3600/1e6, float64(each(r.store.cpu).Nanoseconds())/1e3, rounded(hour), rounded(hour/nodes), nodes)},
		{"the same at two lines a second for each instance", fmt.Sprintf("%.1f million lines: %s of CPU, and %s to sum them up", summarised/1e6, rounded(each(r.store.cpu)*summarised), rounded(each(r.rollup.cpu)*summarised))},
	} {
		fmt.Fprintf(&b, "| %s | %s |\n", row[0], row[1])
	}
	return b.String()
}

// round writes a size with two digits that count.
func round(octets float64) string {
	unit := math.Pow(10, math.Floor(math.Log10(octets))-1)
	return humanize.Bytes(uint64(math.Round(octets/unit) * unit))
}

// rounded is a time with two digits that count, in seconds.
func rounded(d time.Duration) string {
	unit := math.Pow(10, math.Floor(math.Log10(d.Seconds()))-1)
	return humanize.Comma(int64(math.Round(d.Seconds()/unit)*unit)) + " s"
}
