package victorialogs

import (
	"encoding/json"
	"strconv"
	"time"
)

// A Row is one row of an answer: all values are strings, absent ones are empty.
type Row map[string]string

// Uint returns a count.
func (r Row) Uint(field string) uint64 { return Uint(r[field]) }

// Uint reads a count. VictoriaLogs sums in floating point, and the sum of
// nothing is "NaN": what is no number is 0.
func Uint(text string) uint64 {
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && f >= 0 && f < 1<<63 {
		return uint64(f + 0.5)
	}
	return 0
}

// Time returns a time, zero if there is none.
func (r Row) Time(field string) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, r[field])
	return t
}

// Row returns the row that row_min and row_max give as a value, nil if there is none.
func (r Row) Row(field string) (inner Row) {
	if json.Unmarshal([]byte(r[field]), &inner) != nil {
		return nil
	}
	return inner
}

// List returns what values and uniq_values put together, nil if there is nothing.
func (r Row) List(field string) (values []string) {
	if json.Unmarshal([]byte(r[field]), &values) != nil {
		return nil
	}
	return values
}
