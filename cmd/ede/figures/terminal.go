package figures

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Style is how a report is drawn.
type Style struct {
	// Width is in columns; 0 is 100.
	Width int
	// Colour allows ANSI colours.
	Colour bool
	// Location is the zone times are shown in, nil for local.
	Location *time.Location
	// Names is how many names are shown below each zone.
	Names int
}

const (
	minWidth = 78
	maxWidth = 160
)

// keyWidth is the room for a name, which leaves room for the longest cause.
func (p *page) keyWidth() int { return min(44, p.Width-55) }

// WriteText draws the report for a person: what happened, what to do, who must
// act come first, the tables after them.
func (r *Report) WriteText(w io.Writer, style Style) error {
	if style.Width == 0 {
		style.Width = 100
	}
	if style.Location == nil {
		style.Location = time.Local
	}
	style.Width = min(max(style.Width, minWidth), maxWidth)
	p := &page{Style: style}
	p.headline(r)
	if r.Failures > 0 {
		p.actions(r)
		p.chart(r)
		p.causes(r)
	}
	p.fresh(r)
	p.findings(r)
	p.zones(r)
	p.table("UPSTREAMS", r.Upstreams, r.Failures)
	p.table("WHO IS HIT: NAMESPACES", r.Namespaces, r.Log.Singles)
	p.table("WHO IS HIT: PODS", r.Pods, r.Log.Singles)
	p.table("CLIENTS", r.Clients, r.Log.Singles)
	if r.Known > 1 {
		p.table("INSTANCES", r.Instances, r.Failures)
	}
	p.log(r)
	_, err := io.WriteString(w, p.b.String())
	return err
}

// page is the text as it grows.
type page struct {
	Style
	b strings.Builder
}

func (p *page) printf(format string, args ...any) { fmt.Fprintf(&p.b, format, args...) }

const (
	bold   = "1"
	faint  = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

func (p *page) paint(colour, text string) string {
	if !p.Colour || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

func (p *page) section(title, note string) {
	p.printf("\n%s", p.paint(bold, title))
	if note != "" {
		p.printf("  %s", p.paint(faint, note))
	}
	p.printf("\n")
}

func (p *page) headline(r *Report) {
	if r.Partial {
		p.printf("%s\n", p.paint(red, "NOT THE WHOLE REPORT: the section LOG below says what could not be read."))
	}
	if r.Failures == 0 {
		none := "No failures in this log."
		if r.Partial || r.Log.Malformed > 0 {
			none = "No failures in what could be read."
		}
		if n := r.Log.Filtered.Failures; n > 0 {
			none = "No failure is left: --cause, --zone, --client, --since or --until left out " + comma(n) + "."
		}
		p.printf("%s\n", p.paint(bold, none))
		return
	}
	p.printf("%s", p.paint(bold, comma(r.Failures)+plural(r.Failures, " failure", " failures")))
	if !r.From.IsZero() {
		p.printf("  %s - %s (%s)", p.date(r.From), p.date(r.To), spanOf(r.To.Sub(r.From)))
	}
	p.printf("\n%s\n", strings.Join([]string{
		p.list(r.ByRCode, r.Failures), percent(r.Cached, r.Failures) + " from cache",
	}, ", "))
	if most := r.Causes[0]; most.Count > r.Failures/2 {
		p.printf("%-15s%s\n", "Mostly", fit(cmp.Or(most.Title, most.Cause)+", "+most.State+p.last(most.Last), p.Width-15))
	}
	p.printf("%-15s%s\n", "Lasting", p.list(r.ByLasts, r.Failures))
	p.printf("%-15s%s\n", "Who must act", p.list(r.ByOwner, r.Failures))
}

func (p *page) list(shares []Share, total uint64) string {
	var words []string
	for _, s := range shares {
		words = append(words, p.paint(ownerColours[s.Value], s.Value)+" "+percent(s.Count, total))
	}
	return strings.Join(words, ", ")
}

var (
	ownerColours = map[string]string{"us": red, "persistent": red, "upstream": yellow, "zone": cyan, "network": yellow}
	stateColours = map[string]string{Failing: red, Recovered: green, Quiet: faint}
)

func (p *page) actions(r *Report) {
	if len(r.Actions) == 0 {
		return
	}
	p.section("WHAT TO DO FIRST", "")
	for i, a := range r.Actions {
		p.printf("%2d. %s\n", i+1, p.paint(bold, fit(cmp.Or(a.Title, a.Cause), p.Width-4)))
		count, last := plainCount(a.Count, r.Failures), p.last(a.Last)
		room := p.Width - len("    "+"  "+", ") - len(count) - len(a.State) - len(last)
		p.printf("    %s  %s, %s%s\n", p.paint(faint, fit(a.Cause, room)), count, p.paint(stateColours[a.State], a.State), last)
		if r.Known > 1 && a.Instances > 0 {
			p.labelled("on", comma(a.Instances)+" of "+comma(r.Known)+" instances")
		}
		if len(a.Where) > 0 {
			p.labelled("where", strings.Join(a.Where, ", "))
		}
		if a.Example != "" {
			p.labelled("e.g.", fit(a.Example, 2*p.Width))
		}
		p.labelled("who", a.Owner)
		p.labelled("do", a.Advice)
	}
}

// labelled wraps text next to its label.
func (p *page) labelled(label, text string) {
	const indent, room = "    ", 7
	p.printf("%s%s", indent, p.paint(cyan, label)+strings.Repeat(" ", room-len(label)))
	p.wrapFrom(indent+strings.Repeat(" ", room), text)
}

// last tells when something failed last, if that is known.
func (p *page) last(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return ", last " + p.clock(t)
}

func (p *page) causes(r *Report) {
	p.section("CAUSES", "")
	p.printf("%s\n", p.paint(faint, fmt.Sprintf("%10s %5s %-*s %-8s %-10s %s", "failures", "", causeWidth, "cause", "acts", "lasts", "now")))
	for _, c := range r.Causes {
		p.printf("%10s %5s %s %-8s %-10s %s", comma(c.Count), percent(c.Count, r.Failures), pad(c.Cause, causeWidth),
			fit(c.Owner, 8), fit(c.Lasts, 10), p.paint(stateColours[c.State], c.State))
		if room := p.Width - 49 - causeWidth; len(c.Timeline) > 1 && slices.Max(c.Timeline) > 0 && room >= 8 {
			p.printf("%*s%s", 11-len(c.State), "", spark(rebin(c.Timeline, min(room, 40))))
		}
		p.printf("\n")
	}
}

const causeWidth = 30

func (p *page) fresh(r *Report) {
	if len(r.New) == 0 {
		return
	}
	p.section("NEW IN THE LAST HOUR OF THE LOG", "")
	for _, n := range r.New {
		p.printf("  %10s  %-9s%s  since %s\n", comma(n.Count), n.What, pad(n.Key, p.Width-39), p.clock(n.Since))
	}
}

func (p *page) findings(r *Report) {
	if len(r.Findings) == 0 {
		return
	}
	p.section("DIAGNOSED", "")
	for _, f := range r.Findings {
		p.printf("  %s %s\n", p.paint(bold, fit(f.Zone, p.Width-65)), f.verdict())
		for _, text := range []string{f.Text, f.Advice} {
			if text != "" {
				p.wrap("    ", text)
			}
		}
	}
}

// verdict is the finding in short. Where nothing was found nobody is to blame.
func (f Finding) verdict() string {
	switch f.Result {
	case Undecided:
		return f.Cause + ", undecided"
	case Disagrees:
		return f.Cause + ", disputed by ede's own validation"
	}
	return f.Cause + ", " + cmp.Or(f.Owner, Unknown) + " must act"
}

func (p *page) date(t time.Time) string { return t.In(p.Location).Format("2006-01-02 15:04:05 MST") }

func (p *page) clock(t time.Time) string { return t.In(p.Location).Format("15:04:05") }
