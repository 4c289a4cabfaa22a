package leak

import (
	"runtime"
	"testing"
	"time"
)

func TestSettleSeesAGoroutineThatStays(t *testing.T) {
	before := runtime.NumGoroutine()
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() { <-stop; close(ended) }()

	if got := settle(before, 50*time.Millisecond); got <= before {
		t.Errorf("%d goroutines, want more than %d while one still runs", got, before)
	}
	close(stop)
	<-ended
	if got := settle(before, patience); got > before {
		t.Errorf("%d goroutines, want %d once it has ended", got, before)
	}
}
