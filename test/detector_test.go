package test_test

import (
	"os/exec"
	"strings"
	"testing"
)

// A run with the race detector is repeated only for packages that the detector itself
// ended: never where a race was found, a test failed or a package did not compile.
func TestOnlyTheDetectorsOwnEndIsTestedAgain(t *testing.T) {
	const (
		passed   = "ok  \texample.org/a\t1.0s\n"
		empty    = "?   \texample.org/e\t[no test files]\n"
		crash    = "ThreadSanitizer: CHECK failed: tsan_rtl.cpp:346 \"x\" (0x0, 0x0) (tid=1)\n"
		race     = "==================\nWARNING: DATA RACE\n"
		failed   = "--- FAIL: TestB (0.1s)\n    b_test.go:1: wrong\n"
		endB     = "FAIL\texample.org/b\t2.0s\n"
		endC     = "FAIL\texample.org/c\t3.0s\n"
		notBuilt = "FAIL\texample.org/c [build failed]\n"
		end      = "FAIL\n"
	)
	for name, c := range map[string]struct{ output, again string }{
		"all passed":                 {passed + empty, ""},
		"one ended by the detector":  {passed + crash + endB + empty + end, "example.org/b"},
		"two ended by the detector":  {crash + endB + passed + crash + endC + end, "example.org/b example.org/c"},
		"a race, and then the end":   {race + crash + endB + end, ""},
		"a failed test, and the end": {failed + crash + endB + end, ""},
		"a panic, and the end":       {"panic: wrong\n" + crash + endB + end, ""},
		"another package failed":     {crash + endB + failed + endC + end, ""},
		"another was not built":      {crash + endB + notBuilt + end, ""},
		"failed without a word":      {endB + crash + endC + end, ""},
	} {
		t.Run(name, func(t *testing.T) {
			script := exec.Command("../.ci/ended-by-detector")
			script.Stdin = strings.NewReader(c.output)
			again, err := script.Output()
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(strings.Fields(string(again)), " "); got != c.again {
				t.Errorf("tested again: %q, want %q", got, c.again)
			}
		})
	}
}
