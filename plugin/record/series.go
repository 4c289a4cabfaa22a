package record

import (
	"maps"
	"sync"
	"sync/atomic"
)

// maxSeries bounds what is kept at hand of a vector. The labels are closed or
// bounded, so that it is reached only by a process with very many blocks.
const maxSeries = 4096

// atHand keeps what is found by labels: finding a counter by its labels costs more than
// all else that is counted. It is read without a lock.
type atHand[K comparable, V any] struct {
	held  atomic.Pointer[map[K]V]
	write sync.Mutex
}

// of returns what there is for k, which is made by labels if it is not at hand.
func (c *atHand[K, V]) of(k *K, labels func(*K) V) V {
	held := c.held.Load()
	if held != nil {
		if v, ok := (*held)[*k]; ok {
			return v
		}
	}
	v := labels(k)
	if held != nil && len(*held) >= maxSeries {
		return v
	}
	c.write.Lock()
	defer c.write.Unlock()
	grown := make(map[K]V)
	if held = c.held.Load(); held != nil {
		maps.Copy(grown, *held)
	}
	if len(grown) >= maxSeries {
		return v
	}
	grown[*k] = v
	c.held.Store(&grown)
	return v
}
