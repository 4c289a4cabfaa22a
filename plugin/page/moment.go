package page

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// moment is a time as the page shows it, in UTC as the log says.
type moment struct{ time.Time }

// Known is false for the zero time.
func (m moment) Known() bool { return !m.IsZero() }

// ISO is for the datetime attribute.
func (m moment) ISO() string { return m.UTC().Format(time.RFC3339) }

// Clock is the time of the day.
func (m moment) Clock() string { return m.UTC().Format("15:04:05Z") }

// Minute is the time of the day to the minute.
func (m moment) Minute() string { return m.UTC().Format("15:04") }

// Ago is how long before now it was.
func (m moment) Ago(now moment) string {
	d := now.Sub(m.Time)
	if d < time.Second {
		return "now"
	}
	return span(d) + " ago"
}

// span is a duration for people: one unit, two where the first is small.
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < time.Second:
		return strconv.Itoa(int(d.Milliseconds())) + " ms"
	case d < 10*time.Second:
		return strconv.FormatFloat(float64(d.Milliseconds()/100)/10, 'f', -1, 64) + " s"
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + " s"
	case d < 10*time.Minute:
		return strings.TrimSuffix(fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60), " 0 s")
	case d < time.Hour:
		return strconv.Itoa(int(d.Minutes())) + " min"
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return strconv.Itoa(int(d.Hours()/24)) + " days"
}

// grouped writes n with a space between thousands, one that does not break.
func grouped(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	first := len(digits) % 3
	out := digits[:first]
	for i := first; i < len(digits); i += 3 {
		if out != "" {
			out += "\u00a0"
		}
		out += digits[i : i+3]
	}
	return out
}
