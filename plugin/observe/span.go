package observe

import (
	"context"
	"reflect"

	"github.com/opentracing/opentracing-go"
)

// traced reports whether ctx bears a span of the trace plugin.
func traced(ctx context.Context) bool { return opentracing.SpanFromContext(ctx) != nil }

// spanKey is the type of the key under which opentracing keeps a span in a
// context. NextOrFailure looks for one at each plugin, and there hardly ever is
// one: a run that knows this answers without asking all the contexts above it.
// opentracing does not export the key; its type is enough to know it by if that
// has one value only, and spanKey is nil if it has more.
var spanKey = func() reflect.Type {
	var asked keyRecorder
	_ = opentracing.SpanFromContext(&asked)
	if t := reflect.TypeOf(asked.key); t != nil && t.Size() == 0 {
		return t
	}
	return nil
}()

// keyRecorder is a context that remembers what it was asked for.
type keyRecorder struct {
	context.Context
	key any
}

func (k *keyRecorder) Value(key any) any {
	k.key = key
	return nil
}
