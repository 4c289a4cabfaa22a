package record

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// maxSeries bounds what a counters keeps at hand. The labels are closed or
// bounded, so that it is reached only by a process with very many blocks.
const maxSeries = 4096

// counters keeps the counters of a vector at hand by the values that their labels
// are made of: finding one by its labels costs more than all else that is
// counted. It is read without a lock.
type counters[K comparable] struct {
	held  atomic.Pointer[map[K]prometheus.Counter]
	write sync.Mutex
}

// of returns the counter for k, which is made by labels if it is not at hand.
func (c *counters[K]) of(k K, labels func(K) prometheus.Counter) prometheus.Counter {
	held := c.held.Load()
	if held != nil {
		if counter := (*held)[k]; counter != nil {
			return counter
		}
	}
	counter := labels(k)
	if held != nil && len(*held) >= maxSeries {
		return counter
	}
	c.write.Lock()
	defer c.write.Unlock()
	grown := make(map[K]prometheus.Counter)
	if held = c.held.Load(); held != nil {
		maps.Copy(grown, *held)
	}
	if len(grown) >= maxSeries {
		return counter
	}
	grown[k] = counter
	c.held.Store(&grown)
	return counter
}
