//go:build linux

package faults

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var summaryCount = regexp.MustCompile(`plugin/ede: summary .*? count=(\d+) `)

// told returns how many failures a log tells of: those with a line of their own
// and those in summaries.
func told(t *testing.T, log string) int {
	t.Helper()
	sum := 0
	for _, line := range strings.Split(log, "\n") {
		if strings.Contains(line, "plugin/ede: rcode=") {
			sum++
		}
		if found := summaryCount.FindStringSubmatch(line); found != nil {
			n, err := strconv.Atoi(found[1])
			if err != nil {
				t.Fatal(err)
			}
			sum += n
		}
	}
	return sum
}
