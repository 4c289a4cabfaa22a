package page

import (
	"strconv"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// maxCards is how many incidents of a kind are drawn; the JSON has all.
const maxCards = 60

// activeFor is how long after its last failure an incident counts as going on
// now.
const activeFor = time.Minute

// overview is the data of page.html.
type overview struct {
	Host, Version string
	Now, Since    moment
	// Refresh is the seconds to the next load, 0 for none.
	Refresh  int
	State    string // calm, quiet or failing
	Headline string
	// Foremost is the incident that most fails of now, nil if none does.
	Foremost  *foremost
	PerSecond string
	LastHour  uint64
	Failures  uint64
	Chart     chart
	// Open and Ended are what is or was broken, Refusals what is open by policy.
	Open, Ended, Refusals             []card
	MoreOpen, MoreEnded, MoreRefusals int
	Tops                              []topList
	// Remarked are answers that did not fail and of which something is said, nil if
	// nothing is kept of them.
	Remarked *topList
	Changes  []change
	Recent   []failure
}

// foremost is what the page begins with.
type foremost struct {
	card
	// Alone is true if it is the only incident that goes on.
	Alone bool
}

type card struct {
	incident.Incident
	Title string
	// Said is the first failure's INFO-CODE and its purpose, where the cause
	// leaves open which it is.
	Said        string
	Class       string // of the colour
	First, Last moment
	LastGood    moment
	Lasted      string
	Beginning   string
	Active      bool
	Policy      bool
	State       string
}

type topList struct {
	Title   string
	Entries []topRow
}

type topRow struct {
	Name    string
	Count   string
	Percent int
}

type change struct {
	Time moment
	What string
}

type failure struct {
	incident.Recent
	Time  moment
	Title string
	Class string // of the colour
	Codes []codeName
	Took  string
}

type codeName struct {
	Code uint16
	Name string
}

func (h *handler) view(s *incident.Snapshot, refresh int) overview {
	v := overview{
		Host: h.Host, Version: h.Version, Now: moment{s.Now}, Since: moment{s.Since}, Refresh: refresh,
		PerSecond: rateText(s.PerSecond()), Failures: s.Failures, Chart: chartOf(s),
	}
	for _, r := range s.Rates {
		v.LastHour += r.Total
	}
	broken, refused := urgent(s)
	v.Open, v.MoreOpen = cardsOf(s, broken)
	v.Refusals, v.MoreRefusals = cardsOf(s, refused)
	v.Ended, v.MoreEnded = cardsOf(s, s.Ended)
	for _, cards := range [][]card{v.Open, v.Refusals, v.Ended} {
		for i := range cards {
			cards[i].Class = v.Chart.class(cards[i].Cause)
		}
	}
	v.State, v.Headline = stateOf(s, v.LastHour)
	if len(v.Open) > 0 && v.Open[0].Active {
		v.Foremost = &foremost{v.Open[0], len(v.Open) == 1 || !v.Open[1].Active}
	}
	if v.LastHour > 0 {
		v.Tops = []topList{
			topListOf("Zones", s.Zones),
			topListOf("Upstreams", s.Upstreams),
			topListOf("Names", s.Names),
		}
	}
	if h.Remarked != nil {
		list := topListOf("Successful answers with a reason, for example filtered ones", h.Remarked())
		v.Remarked = &list
	}
	for _, e := range s.Events {
		v.Changes = append(v.Changes, change{moment{e.Time}, whatChanged(e)})
	}
	for _, f := range s.Recent {
		one := failure{Recent: f, Time: moment{f.Time}, Title: titleOf(f.Cause), Class: v.Chart.class(f.Cause), Took: span(f.Duration)}
		for _, code := range f.Codes {
			one.Codes = append(one.Codes, codeName{code, option.Name(code)})
		}
		v.Recent = append(v.Recent, one)
	}
	return v
}

func cardsOf(s *incident.Snapshot, list []incident.Incident) (cards []card, more int) {
	for _, in := range list[:min(len(list), maxCards)] {
		c := card{
			Incident: in, Title: titleOf(in.Cause), Said: saidOf(in),
			First: moment{in.First}, Last: moment{in.Last}, LastGood: moment{in.LastGood},
			Lasted: span(in.After()), Beginning: s.Beginning(in),
			Active: active(s, in), Policy: byPolicy(in.Cause),
		}
		switch {
		case c.Active && c.Policy:
			c.State = "refusing"
		case c.Active:
			c.State = "failing"
		case in.Moved():
			c.State = "cause changed"
		case !in.Over:
			c.State = "quiet"
		case in.Recovered():
			c.State = "recovered"
		default:
			c.State = "not seen again"
		}
		cards = append(cards, c)
	}
	return cards, len(list) - len(cards)
}

func topListOf(title string, tops []incident.Top) topList {
	l := topList{Title: title}
	for _, t := range tops {
		row := topRow{Name: t.Name, Count: grouped(t.AtLeast()), Percent: int(100 * t.AtLeast() / max(tops[0].AtLeast(), 1))}
		if t.Over > 0 {
			row.Count = "at least " + row.Count
		}
		l.Entries = append(l.Entries, row)
	}
	return l
}

func whatChanged(e incident.Event) string {
	switch e.Kind {
	case incident.Started:
		return "started"
	case incident.Reloaded:
		return "configuration reloaded"
	}
	return e.String()
}

func saidOf(in incident.Incident) string {
	if c := cause.ByID(in.Cause); c == nil || c.CodeNote == "" {
		return ""
	}
	return strconv.Itoa(int(in.Code)) + " " + option.Name(in.Code)
}

func titleOf(id string) string {
	if c := cause.ByID(id); c != nil {
		return c.Title
	}
	return id
}
