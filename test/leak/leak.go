// Package leak finds goroutines that outlive the test that started them.
package leak

import (
	"runtime"
	"testing"
	"time"
)

const (
	patience = 5 * time.Second
	interval = 5 * time.Millisecond
)

// Check fails the test if, five seconds after its other cleanups have run,
// more goroutines live than when Check was called. Call it first: cleanups run
// last in, first out. It counts the whole process, so neither the test nor one
// beside it may be parallel.
func Check(t testing.TB) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		t.Helper()
		if now := settle(before, patience); now > before {
			t.Errorf("%d goroutines before, %d after:\n%s", before, now, stacks())
		}
	})
}

// settle polls, since the runtime tells nobody when a goroutine ends. It
// collects garbage, as CoreDNS's proxy.Proxy ends the goroutine of its
// connection pool in a finalizer.
func settle(want int, patience time.Duration) int {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		if runtime.NumGoroutine() <= want {
			break
		}
		runtime.GC()
		<-tick.C
	}
	return runtime.NumGoroutine()
}

func stacks() []byte {
	buf := make([]byte, 1<<20)
	return buf[:runtime.Stack(buf, true)]
}
