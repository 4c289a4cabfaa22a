//go:build linux

package faults

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// row is what became of one fault.
type row struct {
	fault  string
	tally  tally
	before gauge
	peak   gauge
	after  gauge
	took   time.Duration
	note   string
}

var table rows

type rows struct {
	mu  sync.Mutex
	all []row
}

var columns = []string{"fault", "queries", "answers", "lost", "doubled", "cut", "goroutines", "descriptors", "memory", "time", "notes"}

func (r row) cells() []string {
	return []string{
		r.fault, fmt.Sprint(r.tally.queries), fmt.Sprint(r.tally.answers), fmt.Sprint(r.tally.lost), fmt.Sprint(r.tally.doubled), fmt.Sprint(r.tally.cut),
		way(r.before.goroutines, r.peak.goroutines, r.after.goroutines),
		way(r.before.descriptors, r.peak.descriptors, r.after.descriptors),
		way(r.before.memory>>20, r.peak.memory>>20, r.after.memory>>20) + " MiB",
		fmt.Sprintf("%.1f s", r.took.Seconds()), r.note,
	}
}

func way(before, peak, after int) string { return fmt.Sprintf("%d, %d, %d", before, peak, after) }

func (r *rows) add(t *testing.T, one row) {
	t.Helper()
	var words []string
	for i, cell := range one.cells() {
		words = append(words, columns[i]+" "+cell)
	}
	t.Log(strings.Join(words, "; "))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, one)
}

func (r *rows) print(w io.Writer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(w, "\n| %s |\n|%s\n", strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
	for _, one := range r.all {
		fmt.Fprintf(w, "| %s |\n", strings.Join(one.cells(), " | "))
	}
}
