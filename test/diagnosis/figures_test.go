package diagnosis_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// figures sums up the log lines of diagnoses as rows of the tables in
// docs/diagnosis.md: all that found something, and each cause.
func figures(lines []string) string {
	kinds := make(map[string]*spread)
	all := new(spread)
	for _, line := range lines {
		m := diagnosed.FindStringSubmatch(line)
		if m == nil || strings.Contains(line, " result=") {
			continue
		}
		queries, _ := strconv.Atoi(m[3])
		seconds, _ := strconv.ParseFloat(m[4], 64)
		kind := m[1] + " (" + m[2] + ")"
		if kinds[kind] == nil {
			kinds[kind] = new(spread)
		}
		for _, s := range []*spread{all, kinds[kind]} {
			s.queries = append(s.queries, queries)
			s.milliseconds = append(s.milliseconds, int(seconds*1000+0.5))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n| all findings | %s |\n", all)
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		fmt.Fprintf(&b, "| %s | %s |\n", kind, kinds[kind])
	}
	return b.String()
}

var diagnosed = regexp.MustCompile(`diagnosis cause=(\S+) ede=(\d+)[\d,]* .*queries=(\d+) duration_seconds=([\d.]+)`)

// spread is how many, and how long, the diagnoses of one kind were.
type spread struct{ queries, milliseconds []int }

func (s *spread) String() string {
	if len(s.queries) == 0 {
		return "0 | | "
	}
	slices.Sort(s.queries)
	slices.Sort(s.milliseconds)
	n := len(s.queries)
	return fmt.Sprintf("%d | %d, %d | %d ms, %d ms", n, s.queries[n/2], s.queries[n-1], s.milliseconds[n/2], s.milliseconds[n-1])
}
