package corefiles

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// table writes a tally as a page of Markdown.
func (tl *tally) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d Corefiles, %d questions.\n\n| check | warnings | confirmed | precision |\n|---|---|---|---|\n", tl.corefiles, tl.questions)
	row := func(what string, of, n int) {
		fmt.Fprintf(&b, "| %s | %d | %d | %.3f |\n", what, of, n, float64(n)/float64(max(of, 1)))
	}
	for _, code := range slices.Sorted(maps.Keys(tl.warned)) {
		row(code, tl.warned[code], tl.right[code])
	}
	row("all", sum(tl.warned), sum(tl.right))
	b.WriteString("\n| what happened | number of blocks | predicted | recall |\n|---|---|---|---|\n")
	for _, kind := range slices.Sorted(maps.Keys(tl.happened)) {
		row(kind, tl.happened[kind], tl.foretold[kind])
	}
	row("all", sum(tl.happened), sum(tl.foretold))
	return b.String()
}

func sum(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}
