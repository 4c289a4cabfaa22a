package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// judge compares two runs and returns whether ede has broken nothing. What failed
// in one of them is run again, since some of the suite's tests fail by chance.
func judge(without, with suite, before, after tally, again int) (bool, error) {
	ok := true
	names := maps.Clone(before)
	maps.Copy(names, after)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if after[name] == nil && !parentFails(after, name) {
			fmt.Printf("MISSING with ede: %s\n", name)
			ok = false
		}
		if failed(before, name)+failed(after, name) == 0 {
			continue
		}
		if why, is := wanted[name]; is {
			fmt.Printf("wanted: %s: %s\n", name, why)
			continue
		}
		a, err := without.run(again, exactly(name))
		if err != nil {
			return false, err
		}
		b, err := with.run(again, exactly(name))
		if err != nil {
			return false, err
		}
		fmt.Printf("%s failed %d of %d times without ede, %d with it\n", name, failed(a, name), again, failed(b, name))
		if more(failed(a, name), failed(b, name), again) {
			fmt.Printf("BROKEN by ede: %s\n%s\n", name, b[name].said)
			ok = false
		}
	}
	for name := range wanted {
		if failed(after, name) == 0 {
			fmt.Printf("NO LONGER: %s is listed as a wanted difference and passes\n", name)
			ok = false
		}
	}
	return ok, nil
}

// more reports whether b failures of n are more than a of n by more than chance
// does in one of a thousand comparisons: three standard deviations.
func more(a, b, n int) bool {
	share := float64(a+b) / float64(2*n)
	return float64(b-a) > 3*math.Sqrt(2*float64(n)*share*(1-share))
}

func failed(t tally, name string) int {
	if t[name] == nil {
		return 0
	}
	return t[name].failed
}

// parentFails reports whether a test around name failed and so may not have
// come to it.
func parentFails(t tally, name string) bool {
	for i := strings.LastIndex(name, "/"); i > 0; i = strings.LastIndex(name, "/") {
		if name = name[:i]; failed(t, name) > 0 {
			return true
		}
	}
	return false
}

// exactly is the pattern of go test -run for one test.
func exactly(name string) string {
	return "^" + strings.ReplaceAll(name, "/", "$/^") + "$"
}
