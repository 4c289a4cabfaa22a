package victorialogs

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Quote writes a string of LogsQL, which takes those of Go:
// https://docs.victoriametrics.com/victorialogs/logsql/#string-literals
func Quote(s string) string { return strconv.QuoteToASCII(s) }

// In is a filter for the rows whose field is one of values.
func In(field string, values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = Quote(v)
	}
	return field + ":in(" + strings.Join(quoted, ", ") + ")"
}

// Below is a filter for the rows whose field is the domain name zone or one below
// it, without case (RFC 4343). The root is above all names that there are.
func Below(field, zone string) string {
	if zone == "." {
		return field + ":*"
	}
	return field + ":~" + Quote(`(?i)(^|\.)`+regexp.QuoteMeta(zone)+"$")
}

// Between is a filter for the rows from since until, not included, where zero
// leaves an end open. It is empty if both are.
func Between(since, until time.Time) string {
	var parts []string
	if !since.IsZero() {
		parts = append(parts, "_time:>="+since.UTC().Format(time.RFC3339Nano))
	}
	if !until.IsZero() {
		parts = append(parts, "_time:<"+until.UTC().Format(time.RFC3339Nano))
	}
	return strings.Join(parts, " ")
}

// Any joins filters of which one has to hold, All those of which all have to.
// Empty ones are left out.
func Any(filters ...string) string { return join(" or ", filters) }

// All is the counterpart of Any.
func All(filters ...string) string { return join(" ", filters) }

func join(word string, filters []string) string {
	var parts []string
	for _, f := range filters {
		if f != "" {
			parts = append(parts, f)
		}
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return "(" + strings.Join(parts, word) + ")"
}
