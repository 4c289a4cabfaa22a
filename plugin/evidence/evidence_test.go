package evidence

import (
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

func TestWhatWasFreedIsGivenOutEmpty(t *testing.T) {
	// What the pool gives back is its choice; each is to be empty.
	for range 100 {
		e := New()
		if len(e.Path) > 0 || len(e.Upstreams) > 0 {
			t.Fatalf("%+v", e)
		}
		for _, s := range [][]string{e.Path[:cap(e.Path)]} {
			for _, name := range s {
				if name != "" {
					t.Fatalf("%q is left of another query", name)
				}
			}
		}
		empty := *e
		empty.Path, empty.Upstreams = nil, nil
		if !reflect.DeepEqual(empty, Evidence{}) {
			t.Fatalf("%+v", e)
		}
		e.Path, e.Upstreams = append(e.Path, "cache", "forward"), append(e.Upstreams, Upstream{Addr: "192.0.2.53:53", Since: time.Unix(1, 0)})
		e.Options, e.At, e.Nested = []option.Option{{Code: 7}}, "forward", new(Evidence)
		e.Free()
	}
}

func TestEvidenceIsOneQuerysAlone(t *testing.T) {
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 1000 {
				e := New()
				e.Lookups, e.Path = g*1000+i, append(e.Path, "cache")
				if e.Lookups != g*1000+i || len(e.Path) != 1 {
					t.Error("two queries have the same evidence")
				}
				e.Free()
			}
		})
	}
	all.Wait()
}
