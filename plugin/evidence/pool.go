package evidence

import "sync"

var pool = sync.Pool{New: func() any { return new(Evidence) }}

// New returns empty evidence; its Path has room.
func New() *Evidence { return pool.Get().(*Evidence) }

// Release gives e back for another query. Nobody may hold e, or its Path, any more. Who
// does not release it leaves it to the collector.
func (e *Evidence) Release() {
	*e = Evidence{Path: e.Path[:0]}
	pool.Put(e)
}

// Clone returns a copy of e that shares nothing with it which Release takes back.
func (e *Evidence) Clone() *Evidence {
	c := *e
	c.Path = append([]string(nil), e.Path...)
	return &c
}
