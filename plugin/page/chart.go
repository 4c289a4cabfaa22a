package page

import (
	"cmp"
	"hash/fnv"
	"math"
	"slices"
	"strconv"

	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
)

const (
	// seriesShown is how many causes have a colour of their own; the rest is
	// drawn together.
	seriesShown = 7
	// The chart is drawn in these units and stretched to the width there is, so
	// it holds no text: that stands around it as HTML.
	chartHeight = 1000
	barWidth    = 10
	barGap      = 1
)

// chart is failures per second by cause over the last hour.
type chart struct {
	Width, Height int
	Top           string // the rate at the upper edge
	Middle        string
	Times         []moment
	Series        []series
}

// series is the bars of one cause.
type series struct {
	Class string // of the colour
	Cause string // empty for the rest
	Title string
	Total uint64
	Bars  []bar
}

type bar struct{ X, Y, Width, Height int }

// chartOf stacks the causes that failed most.
func chartOf(s *incident.Snapshot) chart {
	rates := slices.Clone(s.Rates)
	slices.SortStableFunc(rates, func(a, b incident.Rate) int { return cmp.Compare(b.Total, a.Total) })
	c := chart{Width: incident.RateBuckets * barWidth, Height: chartHeight}
	spans := spansOf(s)
	highest := 0.0
	for i := range incident.RateBuckets {
		sum := 0.0
		for _, r := range rates {
			sum += float64(r.Counts[i]) / spans[i]
		}
		highest = max(highest, sum)
	}
	edge := niceCeiling(highest)
	c.Top, c.Middle = rateText(edge), rateText(edge/2)
	var floor [incident.RateBuckets]float64
	colours := coloursOf(rates[:min(len(rates), seriesShown)])
	for i, r := range rates {
		one := series{Class: "c" + strconv.Itoa(colours[min(i, seriesShown)]), Cause: r.Cause, Title: titleOf(r.Cause), Total: r.Total}
		one.Bars = barsOf(r, &spans, &floor, chartHeight/edge)
		if i <= seriesShown {
			c.Series = append(c.Series, one)
			continue
		}
		rest := &c.Series[seriesShown]
		rest.Cause, rest.Title = "", "all other causes"
		rest.Total += one.Total
		rest.Bars = append(rest.Bars, one.Bars...)
	}
	for i := 0; i <= incident.RateBuckets; i += incident.RateBuckets / 4 {
		c.Times = append(c.Times, moment{s.Start(i)})
	}
	return c
}

// class returns the colour that id has in the chart, so that a cause has one
// colour all over the page.
func (c chart) class(id string) string {
	for _, s := range c.Series {
		if s.Cause == id {
			return s.Class
		}
	}
	return "c" + strconv.Itoa(seriesShown)
}

// red is the colour c0 of style.css. Refusals by policy do not have it.
const red = 0

// coloursOf gives each cause a colour that depends on its name first, so that it
// mostly keeps it from one page to the next, and the rest the last one.
func coloursOf(rates []incident.Rate) (colours [seriesShown + 1]int) {
	colours[seriesShown] = seriesShown
	var taken [seriesShown]bool
	for i, r := range rates {
		h := fnv.New32a()
		_, _ = h.Write([]byte(r.Cause))
		colours[i] = seriesShown
		for try := range uint32(seriesShown) {
			colour := int((h.Sum32() + try) % seriesShown)
			if !taken[colour] && (colour != red || !byPolicy(r.Cause)) {
				taken[colour], colours[i] = true, colour
				break
			}
		}
	}
	return colours
}

// spansOf returns the seconds that each bucket has counted for. The last one
// has not ended, and would look like a recovery if it were drawn as if it had.
func spansOf(s *incident.Snapshot) (spans [incident.RateBuckets]float64) {
	for i := range spans {
		spans[i] = incident.RateWidth.Seconds()
	}
	last := incident.RateBuckets - 1
	spans[last] = max(s.Now.Sub(s.Start(last)).Seconds(), incident.LeastSpan.Seconds())
	return spans
}

// barsOf puts r on top of what stands on floor, and raises it. unit is the
// height of one failure per second.
func barsOf(r incident.Rate, spans, floor *[incident.RateBuckets]float64, unit float64) []bar {
	var bars []bar
	for i, n := range r.Counts {
		if n == 0 {
			continue
		}
		bottom := int(math.Round(floor[i] * unit))
		floor[i] += float64(n) / spans[i]
		top := max(int(math.Round(floor[i]*unit)), bottom+1)
		bars = append(bars, bar{i * barWidth, chartHeight - top, barWidth - barGap, top - bottom})
	}
	return bars
}

// niceCeiling is the least of 1, 2, 5, 10, ... tenths that is not below rate.
func niceCeiling(rate float64) float64 {
	if rate <= 0.1 {
		return 0.1
	}
	power := math.Pow(10, math.Floor(math.Log10(rate)))
	for _, step := range []float64{1, 2, 5, 10} {
		if step*power >= rate {
			return step * power
		}
	}
	return 10 * power
}

// rateText is a rate per second, to two places below ten.
func rateText(rate float64) string {
	if rate >= 10 {
		return grouped(uint64(math.Round(rate)))
	}
	return strconv.FormatFloat(math.Round(rate*100)/100, 'f', -1, 64)
}
