package evidence

import "sync"

var pool = sync.Pool{New: func() any { return new(Evidence) }}

// New returns empty evidence; its Path has room.
func New() *Evidence { return pool.Get().(*Evidence) }

// Release gives e back for another query. No reference to e or its Path may remain. It need
// not be called: the garbage collector does the rest.
func (e *Evidence) Release() {
	*e = Evidence{Path: e.Path[:0]}
	pool.Put(e)
}

// Clone returns a copy of e that stays valid after the Release of e.
func (e *Evidence) Clone() *Evidence {
	c := *e
	c.Path = append([]string(nil), e.Path...)
	return &c
}
