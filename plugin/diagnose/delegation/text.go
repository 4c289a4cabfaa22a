package delegation

import (
	"strconv"
	"strings"
)

const (
	maxText     = 180
	maxFullText = 1000
	maxLabel    = 64 // octets of a name within a text
)

// short cuts a long name from the left: the end tells the zone. Names come as
// miekg/dns presents them, ASCII with escapes, so any octet is a good cut.
func short(name string) string {
	if len(name) <= maxLabel {
		return name
	}
	return "..." + name[len(name)-maxLabel+3:]
}

// list joins statements, each only once.
type list struct{ items []string }

func (l *list) add(item string) {
	for _, have := range l.items {
		if have == item {
			return
		}
	}
	l.items = append(l.items, item)
}

func (l *list) String() string { return strings.Join(l.items, ", ") }

// fit appends as many items to head as limit allows and counts the others.
func (l *list) fit(head string, limit int) string {
	const tail = len(", and 999 more")
	var b strings.Builder
	b.WriteString(head)
	for i, item := range l.items {
		sep := ", "
		if i == 0 {
			sep = ""
		}
		left := len(l.items) - i
		need := len(sep) + len(item)
		if left > 1 {
			need += tail
		}
		if b.Len()+need > limit {
			if i > 0 {
				b.WriteString(", and ")
			}
			b.WriteString(strconv.Itoa(left))
			if i > 0 {
				b.WriteString(" more")
			} else {
				b.WriteString(" servers")
			}
			break
		}
		b.WriteString(sep + item)
	}
	return b.String()
}

// describe writes both texts: head, what each server did, then the notes that
// still fit.
func (f *Finding) describe(head string, notes ...string) {
	var brief, full list
	for _, s := range f.Servers {
		brief.add(s.label(false) + " " + s.phrase())
		full.add(s.label(true) + " " + s.phrase())
	}
	f.Text = addNotes(brief.fit(head, maxText), maxText, notes)
	f.FullText = addNotes(full.fit(head, maxFullText), maxFullText, notes)
}

func addNotes(text string, limit int, notes []string) string {
	for _, n := range notes {
		if n != "" && len(text)+len("; ")+len(n) <= limit {
			text += "; " + n
		}
	}
	return text
}
