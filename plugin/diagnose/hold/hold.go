// Package hold holds answers back until their diagnosis has ended.
package hold

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
)

const (
	// maxHeld is how many answers may wait for a diagnosis at once.
	maxHeld = 64
	// retryEvery is how often an answer that is held asks for its turn.
	retryEvery = 25 * time.Millisecond
)

// Waiter starts diagnoses, and may hold an answer back until its diagnosis has ended.
// It is safe for concurrent use.
type Waiter struct {
	runner  *diagnose.Runner
	longest time.Duration
	skipped func(diagnose.Skip)

	held atomic.Int64
	// queued is how many answers wait for a turn, and turns how many there are
	// within longest: one more would wait in vain.
	queued atomic.Int64
	turns  int64
}

// NewWaiter returns a waiter for r, which starts at most perSecond diagnoses a
// second. An answer is held for at most longest, and not at all if that is 0.
// skipped is called with the reason why a diagnosis was not started.
func NewWaiter(r *diagnose.Runner, perSecond int, longest time.Duration, skipped func(diagnose.Skip)) *Waiter {
	return &Waiter{runner: r, longest: longest, skipped: skipped, turns: int64(float64(perSecond) * longest.Seconds())}
}

// Start starts a diagnosis that no answer waits for.
func (w *Waiter) Start(c diagnose.Case) {
	if _, skip := w.runner.Start(c); skip != diagnose.Started {
		w.skipped(skip)
	}
}

// Wait starts a diagnosis and returns when it has ended, or when its answer has to
// go: it was held as long as it may be, ctx is over, or too many others are held.
func (w *Waiter) Wait(ctx context.Context, c diagnose.Case) {
	if w.longest == 0 {
		w.Start(c)
		return
	}
	// One deadline for both: to get a turn, and to be diagnosed.
	ctx, cancel := context.WithTimeout(ctx, w.longest)
	defer cancel()
	ended, skip := w.runner.Start(c)
	if noRoom(skip) {
		ended, skip = w.turn(ctx, c, skip)
	}
	if skip != diagnose.Started {
		w.skipped(skip)
	}
	w.await(ctx, ended)
}

// await holds an answer back until ended, which is nil if there is nothing to wait
// for.
func (w *Waiter) await(ctx context.Context, ended <-chan struct{}) {
	if ended == nil || !w.hold() {
		return
	}
	defer w.held.Add(-1)
	select {
	case <-ended:
	case <-ctx.Done():
	}
}

func noRoom(skip diagnose.Skip) bool { return skip == diagnose.OverRate || skip == diagnose.Busy }

// turn holds an answer back while the budget has no room for its diagnosis.
func (w *Waiter) turn(ctx context.Context, c diagnose.Case, skip diagnose.Skip) (<-chan struct{}, diagnose.Skip) {
	defer w.queued.Add(-1)
	if w.queued.Add(1) > w.turns || !w.hold() {
		return nil, skip
	}
	defer w.held.Add(-1)
	retry := time.NewTicker(retryEvery)
	defer retry.Stop()
	for {
		select {
		case <-retry.C:
			if ended, skip := w.runner.Start(c); !noRoom(skip) {
				return ended, skip
			}
		case <-ctx.Done():
			return nil, skip
		}
	}
}

// hold takes one of the places of answers that wait; held.Add(-1) gives it back.
func (w *Waiter) hold() bool {
	if w.held.Add(1) > maxHeld {
		w.held.Add(-1)
		return false
	}
	return true
}
