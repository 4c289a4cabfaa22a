package stack

import (
	"fmt"
	"math/bits"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"time"
)

// waiting are goroutines that wait with next to nothing on their stacks, as most
// of a server do.
func waiting(t *testing.T, n int) {
	var ended sync.WaitGroup
	end := make(chan struct{})
	for range n {
		ended.Go(func() { <-end })
	}
	t.Cleanup(func() { close(end); ended.Wait() })
}

// sizeWith is what goroutines begin with after some collections with a ballast,
// which looks after each.
func sizeWith(t *testing.T) uint64 {
	t.Helper()
	end, tick := make(chan struct{}), make(chan time.Time)
	var ended sync.WaitGroup
	ended.Go(func() { carry(end, tick) })
	defer ended.Wait()
	defer close(end)
	for range 20 {
		runtime.GC()
		tick <- time.Time{}
	}
	// What the last change led to.
	runtime.GC()
	return read().size
}

func TestWithABallastGoroutinesBeginWithWhatAQueryNeeds(t *testing.T) {
	for _, others := range []int{0, 20, 100} {
		t.Run(fmt.Sprintf("%d others", others), func(t *testing.T) {
			waiting(t, others)
			runtime.GC()
			runtime.GC()
			if size := read().size; size >= want && others > 0 {
				t.Fatalf("goroutines begin with %d octets without a ballast", size)
			}
			if size := sizeWith(t); size != want {
				t.Errorf("goroutines begin with %d octets, want %d", size, want)
			}
		})
	}
}

// Where the runtime has no such average, or more goroutines wait than the ballast
// can make up for, it stays at its limit.
func TestABallastThatDoesNothingIsBounded(t *testing.T) {
	if os.Getenv("EDE_TEST_FIXED_STACKS") == "" {
		c := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		c.Env = append(os.Environ(), "EDE_TEST_FIXED_STACKS=1", "GODEBUG=adaptivestackstart=0")
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	if size := sizeWith(t); size >= want {
		t.Fatalf("goroutines begin with %d octets", size)
	}
	frames := 1
	for range 100 {
		frames = adjust(frames, state{size: 2 << 10, goroutines: 1e6})
	}
	if frames != mostFrames {
		t.Errorf("%d frames, want %d", frames, mostFrames)
	}
}

// TestTheBallastSettles plays the runtime, whose average of waiting goroutines
// and one ballast is rounded up to a power of two (runtime/stack.go).
func TestTheBallastSettles(t *testing.T) {
	const guard = 928
	for waiting := 1; waiting <= 150; waiting++ {
		for _, used := range []int{300, 700, 1100} {
			now := func(frames int) state {
				average := (waiting*used+frames*frame)/(waiting+1) + guard
				return state{size: max(2<<10, uint64(1)<<bits.Len(uint(average-1))), goroutines: uint64(waiting + 1)}
			}
			frames := 1
			for range 3 {
				frames = adjust(frames, now(frames))
			}
			if next := adjust(frames, now(frames)); next != frames {
				t.Errorf("%d goroutines with %d octets: %d frames, then %d", waiting, used, frames, next)
			}
			// With very few, one frame alone is much.
			if is := now(frames).size; is != want && frames != 1 {
				t.Errorf("%d goroutines with %d octets: %d octets with %d frames", waiting, used, is, frames)
			}
		}
	}
}

func TestTheBallastIsThereAsLongAsItHasAUser(t *testing.T) {
	ended := func(b *Ballast) bool {
		select {
		case <-b.end:
			return true
		default:
			return false
		}
	}
	b := new(Ballast)
	b.Stop()
	for range 2 {
		b.Start()
		b.Start()
		b.Stop()
		if ended(b) {
			t.Error("it ended with one of two users")
		}
		b.Stop()
		if !ended(b) {
			t.Error("it is there without a user")
		}
		b.Stop()
	}
}
