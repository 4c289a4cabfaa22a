package figures

import (
	"slices"
	"strings"
)

// zones shows each zone with its names below it.
func (p *page) zones(r *Report) {
	if len(r.Zones.Items) == 0 && !r.Zones.More {
		return
	}
	p.section("ZONES AND THEIR NAMES", boundNote(r.Zones, r.Names))
	for _, z := range r.Zones.Items {
		p.item(z, r.Failures, "", bold)
		shown := 0
		for _, e := range r.Named {
			if shown == p.Names {
				break
			}
			if e.Zone == z.Key && e.Key != z.Key {
				p.item(Item{Key: e.Key, Count: e.Count}, r.Failures, "  ", "")
				shown++
			}
		}
	}
	p.more(r.Zones)
}

func (p *page) table(title string, t Top, total uint64) {
	if len(t.Items) == 0 && !t.More {
		return
	}
	p.section(title, boundNote(t))
	for _, item := range t.Items {
		p.item(item, total, "", "")
	}
	p.more(t)
}

func (p *page) more(t Top) {
	switch {
	case t.More && len(t.Items) == 0:
		p.printf("  %s\n", p.paint(faint, "very many, none of which stands out"))
	case t.More:
		p.printf("  %s\n", p.paint(faint, "and others"))
	}
}

func (p *page) item(i Item, total uint64, indent, colour string) {
	keyWidth := p.keyWidth()
	key := fit(i.Key, keyWidth-len(indent))
	p.printf("  %10s  %5s  %s%s", comma(i.Count), percent(i.Count, total), indent, p.paint(colour, key))
	if i.Mostly != "" {
		gap := keyWidth - len(indent) - textWidth(key)
		p.printf("  %*s%s", gap, "", fit("mostly "+i.Mostly, p.Width-23-keyWidth))
	}
	p.printf("\n")
}

// log tells what the figures rest on.
func (p *page) log(r *Report) {
	l := r.Log
	p.section("LOG", "")
	p.printf("  %s%s, %s of them ede's", comma(l.Lines), plural(l.Lines, " line", " lines"), comma(l.Ours))
	if l.Malformed > 0 {
		var reasons []string
		for reason, n := range l.Reasons {
			reasons = append(reasons, comma(n)+" "+reason)
		}
		slices.Sort(reasons)
		p.printf(", %s malformed and left out (%s)", p.paint(red, comma(l.Malformed)), strings.Join(reasons, ", "))
	}
	p.printf("\n")
	for _, note := range []struct {
		n    uint64
		text string
	}{
		{l.Summed, "failures are known from summaries only, without a client"},
		{l.Unnamed, "of these without a name"},
		{l.Undated, "failures have no time and are not in the timeline"},
		{l.Notices, "other messages of ede: warnings and the like"},
		{l.Answers, "answers that did not fail had a reason; they are not counted"},
		{l.Passed, "diagnoses found that the name resolves now"},
		{l.Missed, "diagnoses left out: too many different ones"},
		{l.Filtered.Failures, "failures left out by --cause, --zone, --client, --since or --until"},
		{l.Filtered.Undated, "failures left out because they have no time, with --since or --until"},
		{l.Filtered.Undecided, "failures in summaries left out: the summary does not show whether they match"},
	} {
		if note.n > 0 {
			p.printf("  %s %s\n", comma(note.n), note.text)
		}
	}
	for _, problem := range l.Problems {
		p.printf("  %s\n", p.paint(red, fit(problem, p.Width-2)))
	}
}
