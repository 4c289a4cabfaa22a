// Package leak finds goroutines that outlive the test that started them.
package leak

import (
	"runtime"
	"testing"
	"time"
)

const (
	patience = 30 * time.Second
	interval = 5 * time.Millisecond
	calm     = 4 // intervals without a change before the first count is believed
)

// Check fails the test if, half a minute after its other cleanups have run,
// more goroutines live than when Check was called. Call it first: cleanups run
// last in, first out. It counts the whole process, so neither the test nor one
// next to it may be parallel.
func Check(t testing.TB) {
	t.Helper()
	before := baseline()
	t.Cleanup(func() {
		t.Helper()
		if now := settle(before, patience); now > before {
			t.Errorf("%d goroutines before, %d after:\n%s", before, now, stacks())
		}
	})
}

// baseline counts once the goroutines of earlier tests have ended: counted
// among those before, they would hide as many that leak.
func baseline() int {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	deadline := time.Now().Add(time.Second)
	count, same := runtime.NumGoroutine(), 0
	for same < calm && time.Now().Before(deadline) {
		runtime.GC()
		<-tick.C
		now := runtime.NumGoroutine()
		if now == count {
			same++
			continue
		}
		count, same = now, 0
	}
	return count
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
