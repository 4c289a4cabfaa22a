package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// judge compares two runs and returns whether ede has broken nothing. What
// differs is run again, since some of the suite's tests fail by chance.
func judge(without, with suite, before, after tally, again int) (bool, error) {
	ok := true
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if before[name].failed > 0 && failed(after, name) > 0 {
			fmt.Printf("fails in both: %s\n", name)
		}
		if after[name] == nil && !parentFails(after, name) {
			fmt.Printf("MISSING with ede: %s\n", name)
			ok = false
		}
	}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if (failed(after, name) > 0) == (failed(before, name) > 0) {
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
		fmt.Printf("differs: %s failed without ede: %v, with it: %v; again, alone: %d of %d times without, %d of %d with\n",
			name, failed(before, name) > 0, failed(after, name) > 0, failed(a, name), again, failed(b, name), again)
		if failed(b, name) > 0 && failed(a, name) == 0 {
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
