package test_test

import (
	"runtime"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// beginsWith is the stack that goroutines begin with, in octets, as of a garbage
// collection now.
func beginsWith() uint64 {
	runtime.GC()
	s := []metrics.Sample{{Name: "/gc/stack/starting-size:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

func TestGoroutinesBeginWithTheStackOfAQuery(t *testing.T) {
	const want = 8 << 10
	server.Capture(t)
	if size := beginsWith(); size >= want {
		t.Fatalf("they begin with %d octets without ede", size)
	}
	server.Start(t, here(".:0", "ede", "erratic"))
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		if beginsWith() == want {
			return
		}
	}
	t.Errorf("they begin with %d octets, want %d", beginsWith(), want)
}
