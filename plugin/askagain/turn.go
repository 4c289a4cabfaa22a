package askagain

import (
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/guard"
	"github.com/seed-1b7246af/coredns-ede/plugin/remarks"
)

// work asks what waits, until nothing does.
func (a *Asker) work() {
	for {
		f, ok := a.next()
		if !ok {
			return
		}
		a.turn(f)
	}
}

func (a *Asker) next() (Failure, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.waiting) == 0 || a.closed {
		a.atOnce--
		a.waiting = nil
		return Failure{}, false
	}
	f := a.waiting[0]
	a.waiting[0] = Failure{}
	a.waiting = a.waiting[1:]
	return f, true
}

// turn asks f when the budget allows it.
func (a *Asker) turn(f Failure) {
	defer guard.Catch(guard.AskingAgain, func() { a.close(f, true) })
	if !a.isOpen(f) || a.limit.Wait(a.ctx) != nil || !a.isOpen(f) {
		a.close(f, false)
		return
	}
	if f.Full != nil && f.Full() {
		a.close(f, false)
		a.done(Answer{Failure: f, Result: Full})
		return
	}
	answer := a.ask(f)
	if a.close(f, a.ctx.Err() == nil) && a.ctx.Err() == nil {
		a.memory.Put(f.Of, remarks.Said{Options: answer.Said, By: f.Upstream, At: answer.At}, life)
		a.done(answer)
	}
}

func (a *Asker) isOpen(f Failure) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.open[f.Of]
}

// close ends the turn of f, and reports whether its question was open until now. Where
// asking it ended in an error of our own it counts as asked.
func (a *Asker) close(f Failure, asked bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	open := a.open[f.Of]
	delete(a.open, f.Of)
	if open && asked {
		// Before anybody can ask whether it is wanted.
		a.memory.Put(f.Of, remarks.Said{By: f.Upstream, At: time.Now()}, life)
	}
	return open
}

// rest leaves an upstream alone for a while.
func (a *Asker) rest(upstream string, d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.resting) >= maxResting {
		clear(a.resting)
	}
	a.resting[upstream] = time.Now().Add(d)
}
