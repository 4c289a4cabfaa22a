package hold

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAtMost64AnswersWaitForADiagnosis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &Waiter{longest: time.Second}
		const over = 36
		ended := make(chan struct{})
		var left atomic.Int64
		hold := func(ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, w.longest)
			defer cancel()
			w.await(ctx, ended)
			left.Add(1)
		}
		gone, cancel := context.WithCancel(t.Context())
		for range maxHeld + over {
			go hold(gone)
		}
		synctest.Wait()
		if left.Load() != over {
			t.Fatalf("%d of %d answers are not held, want %d", left.Load(), maxHeld+over, over)
		}
		cancel()
		synctest.Wait()
		if left.Load() != maxHeld+over {
			t.Errorf("%d answers left when their clients had gone, want all", left.Load())
		}

		left.Store(0)
		for range maxHeld {
			go hold(t.Context())
		}
		synctest.Wait()
		if left.Load() != 0 {
			t.Fatalf("%d answers are not held: those before did not make room", left.Load())
		}
		time.Sleep(w.longest)
		synctest.Wait()
		if left.Load() != maxHeld {
			t.Errorf("%d answers left after the longest wait, want all", left.Load())
		}

		left.Store(0)
		go hold(t.Context())
		synctest.Wait()
		close(ended)
		synctest.Wait()
		if left.Load() != 1 || w.held.Load() != 0 {
			t.Errorf("%d answers left when the diagnosis had ended; %d still count", left.Load(), w.held.Load())
		}
	})
}
