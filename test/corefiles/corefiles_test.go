package corefiles

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight"
)

var (
	number = flag.Int("corefiles", 500, "how many Corefiles to make")
	first  = flag.Int("first", 0, "number of the first Corefile")
	having = flag.String("having", "", "run only the Corefiles that this regular expression matches")
	write  = flag.Bool("write", false, "write the table of docs/checks.md")
	shown  = flag.Int("shown", 12, "how many false and missed warnings to print")
	seed   = flag.Uint64("seed", 1, "seed of the Corefiles")
)

func order() []string {
	return slices.DeleteFunc(slices.Clone(dnsserver.Directives), func(n string) bool { return n == "witness" })
}

// try makes one Corefile, checks it, and runs it. ok is false if wanted does not
// match it.
func try(t *testing.T, tr *tree, n int, wanted *regexp.Regexp) (tl trial, ok bool) {
	t.Helper()
	m := &maker{Rand: rand.New(rand.NewPCG(*seed, uint64(n))), tree: tr}
	tl = trial{corefile: m.corefile()}
	text, keys := tl.corefile.text("")
	if !wanted.MatchString(text) {
		return tl, false
	}
	tl.text = fmt.Sprintf("# %d\n%s", n, text)
	blocks, err := preflight.Parse("Corefile", strings.NewReader(asListeners.Replace(text)), order())
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	tl.warnings = make([][]preflight.Warning, len(keys))
	for _, w := range (preflight.Host{ZoneFiles: preflight.ZoneFiles}).Check(blocks, order()) {
		i, _ := slices.BinarySearch(keys, w.Line+1)
		tl.warnings[i-1] = append(tl.warnings[i-1], w)
	}
	questions := m.questions(tl.corefile)
	tl.outcomes = run(t, tl.corefile, questions)
	withoutErratic(t, tl.corefile, tl.outcomes)
	tl.literal = otherOwners(t, tl.corefile, tl.outcomes)
	tl.useless, tl.hidden = make(map[[2]int]bool), make(map[[2]int]bool)
	seen := make(map[int]bool)
	for _, out := range tl.outcomes {
		seen[out.mark] = true
	}
	for i, b := range tl.blocks {
		for j, u := range b.uses {
			if !u.backend || u.mark != 0 && seen[u.mark] {
				continue
			}
			at := [2]int{i, j}
			if !same(tl.outcomes, run(t, tl.corefile.without(i, j), questions)) {
				continue
			}
			tl.useless[at] = true
			tl.hidden[at] = !b.guarded() && answers(run(t, tl.corefile.only(i, j), questions), i, u.mark)
		}
	}
	return tl, true
}

// answers reports whether block i gives an answer with the mark, or any if that
// is 0.
func answers(outcomes map[question]outcome, i, mark int) bool {
	for _, out := range outcomes {
		if out.block == i && (mark != 0 && out.mark == mark || mark == 0 && out.rcode == dns.RcodeSuccess) {
			return true
		}
	}
	return false
}

// same reports whether all answers are the same.
func same(a, b map[question]outcome) bool {
	for q, out := range a {
		if other := b[q]; out.rcode != other.rcode || out.mark != other.mark || out.renamed != other.renamed {
			return false
		}
	}
	return true
}

func TestWhatIsForetoldComesAndNothingElse(t *testing.T) {
	clog.Discard()
	wanted, err := regexp.Compile(*having)
	if err != nil {
		t.Fatalf("-having %s: %v", *having, err)
	}
	tr, tl := newTree(t), newTally()
	for n := *first; n < *first+*number; n++ {
		if tried, ok := try(t, tr, n, wanted); ok {
			tl.add(tried)
		}
	}
	table := tl.table()
	t.Logf("\n%s", table)
	for _, w := range tl.wrong[:min(len(tl.wrong), *shown)] {
		t.Logf("not confirmed: %s", w)
	}
	for _, m := range tl.unforetold[:min(len(tl.unforetold), *shown)] {
		t.Logf("not predicted: %s", m)
	}
	right, warned := sum(tl.right), sum(tl.warned)
	if float64(right) < leastPrecision*float64(warned) {
		t.Errorf("%d of %d warnings are confirmed by an answer, want a share of %v", right, warned, leastPrecision)
	}
	foretold, happened := sum(tl.foretold), sum(tl.happened)
	if float64(foretold) < leastRecall*float64(happened) {
		t.Errorf("%d of %d failures were predicted, want a share of %v", foretold, happened, leastRecall)
	}
	page, kept := pages[*number]
	if *first != 0 || *seed != 1 || *having != "" || !kept {
		return
	}
	if *write {
		if err := os.WriteFile(page, []byte(table), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(page); err != nil || string(have) != table {
		t.Errorf("%s is stale: run go test ./test/corefiles -corefiles %d -write, then go run ./cmd/ede check --markdown >docs/checks.md", page, *number)
	}
}

// What the warnings have to reach.
const leastPrecision, leastRecall = 0.98, 0.9

// pages are parts of docs/checks.md, by how many Corefiles they are of.
var pages = map[int]string{500: "../../cmd/ede/check/precision.md", 5000: "../../cmd/ede/check/precision-5000.md"}
