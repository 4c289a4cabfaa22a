// Package stack has the runtime begin goroutines with as much stack as a query
// needs.
//
// The server core serves each query on a goroutine of its own. Go begins one
// with 2 KiB of stack and, whenever that does not suffice, moves all of it to a
// place of twice the size: twice or three times in a query, 1 to 4 µs each, and a
// fifth of all that an answer out of the cache costs. What goroutines begin with
// is the average of what those that the garbage collector saw had in use (since
// Go 1.19), and most goroutines of a server wait with next to nothing in use. A
// ballast is one more that waits, with much.
package stack

import (
	"runtime/metrics"
	"sync"
	"time"
)

// want is what goroutines are to begin with, in octets: an answer out of the
// cache needs more than 4 KiB in any block, and 8 KiB suffice in most.
const want = 8 << 10

const (
	// frame is what one call of hold has on the stack, in octets, mostFrames how
	// many calls there are at most: their stack is of 512 KiB. That is enough for
	// some 150 goroutines that wait. Where there are many more, each of them is a
	// client or a query, and their own need is what the average shows.
	frame      = 16 << 10
	mostFrames = 30
	// look is how long it takes to see what came of a change, at least.
	look = time.Second
)

// Ballast is a goroutine with much of its stack in use. All users of one share
// it: a load of the Corefile and the one that takes its place.
type Ballast struct {
	mu    sync.Mutex
	users int
	end   chan struct{}
	ended sync.WaitGroup
}

// Start begins to hold the ballast for one more user.
func (b *Ballast) Start() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.users++; b.users == 1 {
		b.end = make(chan struct{})
		b.ended.Go(func() {
			tick := time.NewTicker(look)
			defer tick.Stop()
			carry(b.end, tick.C)
		})
	}
}

// Stop gives up what Start began. After the last user's nothing of it is left.
func (b *Ballast) Stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.users == 0 {
		return
	}
	if b.users--; b.users == 0 {
		close(b.end)
		b.ended.Wait()
	}
}

// carry holds as many frames as it takes until end is closed, and looks at each
// tick.
func carry(end <-chan struct{}, tick <-chan time.Time) {
	c := carrier{end: end, tick: tick, seen: read()}
	for frames := 1; frames > 0; {
		frames = c.hold(frames, frames)
	}
}

type carrier struct {
	end  <-chan struct{}
	tick <-chan time.Time
	seen state
}

// hold waits with more frames on the stack until another number than frames is
// called for, and returns it, or 0 at the end.
//
//go:noinline
func (c *carrier) hold(frames, more int) int {
	var ballast [frame]byte
	if more > 1 {
		return c.hold(frames, more-1) + int(ballast[more])
	}
	for {
		select {
		case <-c.end:
			return int(ballast[0])
		case <-c.tick:
			now := read()
			if now.collections == c.seen.collections {
				continue
			}
			c.seen = now
			if next := adjust(frames, now); next != frames {
				return next + int(ballast[0])
			}
		}
	}
}

// adjust returns how many frames it takes if what the runtime says of itself is now
// so with frames. The runtime rounds the average up to a power of two, so neither
// doubling the ballast nor taking a quarter of it away leads past what is wanted.
func adjust(frames int, now state) int {
	switch {
	case now.size < want:
		// The average is to be in the middle of what is rounded up to want.
		share := int(now.goroutines) * (want * 5 / 8) / frame
		return min(max(2*frames, share), mostFrames)
	case now.size > want:
		return max(frames*3/4, 1)
	}
	return frames
}

// state is what the runtime says of itself: with how many octets of stack it
// begins a goroutine, how many collections have led to that, and how many
// goroutines there are.
type state struct{ size, collections, goroutines uint64 }

func read() state {
	s := []metrics.Sample{{Name: "/gc/stack/starting-size:bytes"}, {Name: "/gc/cycles/total:gc-cycles"}, {Name: "/sched/goroutines:goroutines"}}
	metrics.Read(s)
	return state{number(s[0].Value), number(s[1].Value), number(s[2].Value)}
}

// number is v, or 0 if the runtime does not know it any more.
func number(v metrics.Value) uint64 {
	if v.Kind() != metrics.KindUint64 {
		return 0
	}
	return v.Uint64()
}
