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

func TestTheBaselineWaitsForWhatIsEnding(t *testing.T) {
	before := runtime.NumGoroutine()
	stop := make(chan struct{})
	for range 10 {
		go func() { <-stop }()
	}
	close(stop)
	if got := baseline(); got > before {
		t.Errorf("baseline %d, want %d once the others have ended", got, before)
	}
}
