//go:build linux

package faults

import (
	"flag"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

var full = flag.Bool("full", false, "try each fault at length, and print the table")

// span is how long a fault lasts.
func span(short, long time.Duration) time.Duration {
	if *full {
		return long
	}
	return short
}

// size is how large a fault is.
func size(short, large int) int {
	if *full {
		return large
	}
	return short
}

// built is true once executable was called.
var built atomic.Bool

// parallel has seconds-long trials run at once: most of their time
// goes by until idle connections have ended. At length each has the machine.
func parallel(t *testing.T) {
	t.Helper()
	if !*full {
		t.Parallel()
	}
}

// init has as many run at once as memory allows with the race detector.
func init() {
	testing.Init()
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
}

func TestMain(m *testing.M) {
	status := m.Run()
	if built.Load() {
		if path, err := executable(); err == nil {
			os.RemoveAll(filepath.Dir(path))
		}
	}
	if *full {
		table.print(os.Stdout)
	}
	os.Exit(status)
}
