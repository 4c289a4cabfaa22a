package evidence

import (
	"slices"
	"sync"
)

var pool = sync.Pool{New: func() any { return new(Evidence) }}

// New returns empty evidence; its Path and its Upstreams have room.
func New() *Evidence { return pool.Get().(*Evidence) }

// Release gives e back for another query. No reference to e, its Path or its Upstreams may
// remain. It need not be called: the garbage collector does the rest.
func (e *Evidence) Release() {
	*e = Evidence{Path: e.Path[:0], Upstreams: e.Upstreams[:0]}
	pool.Put(e)
}

// Clone returns a copy of e that stays valid after the Release of e.
func (e *Evidence) Clone() *Evidence {
	c := *e
	c.Path, c.Upstreams = slices.Clone(e.Path), slices.Clone(e.Upstreams)
	return &c
}
