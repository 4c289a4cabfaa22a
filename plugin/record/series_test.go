package record

import (
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestCountersAtHandAreBoundedAndNoneIsLost(t *testing.T) {
	var c atHand[int, prometheus.Counter]
	all := make([]prometheus.Counter, maxSeries+100)
	for i := range all {
		all[i] = prometheus.NewCounter(prometheus.CounterOpts{Name: "n"})
	}
	labels := func(k *int) prometheus.Counter { return all[*k] }
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for k := range all {
				c.of(&k, labels).Inc()
			}
		})
	}
	clients.Wait()
	if got := len(*c.held.Load()); got != maxSeries {
		t.Errorf("%d counters are at hand, want %d", got, maxSeries)
	}
	for k, counter := range all {
		if got := value(t, counter); got != 4 {
			t.Fatalf("counter %d is %v, want 4", k, got)
		}
	}
}
