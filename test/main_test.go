package test_test

import (
	"flag"
	"os"
	"testing"
)

// inParallel is how many tests run at once: they wait for timeouts, mostly, so
// that the number of processors is no measure.
const inParallel = "24"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", inParallel); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
