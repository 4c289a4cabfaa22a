package observe

import (
	"context"
	"reflect"
	"unsafe"

	"github.com/opentracing/opentracing-go"
)

// above reports whether ctx bears a span of the trace plugin, and returns the run
// that ctx comes from, nil if it comes from none. Each query asks, and most have
// neither, so one look serves for both: a run without a span stands where one would
// be. opentracing takes nothing but a Span for one (SpanFromContext).
func above(ctx context.Context) (traced bool, parent *Run) {
	v := ctx.Value(spanKey)
	if run, ok := v.(*Run); ok {
		return false, run
	}
	if v == nil && spanKeyType != nil {
		return false, nil
	}
	parent, _ = ctx.Value(runKey).(*Run)
	return v != nil, parent
}

// spanKey is the key under which opentracing keeps a span in a context, which it
// does not export. NextOrFailure looks for a span at each plugin, and there hardly
// ever is one: a run that knows this answers without asking all the contexts above.
var spanKey = func() any {
	var asked keyRecorder
	_ = opentracing.SpanFromContext(&asked)
	return asked.key
}()

// spanKeyType is the type of spanKey if that is its type's only value: comparing
// types is much less than comparing values of unknown types. It is nil otherwise.
var spanKeyType = func() unsafe.Pointer {
	if t := reflect.TypeOf(spanKey); t == nil || t.Size() > 0 {
		return nil
	}
	return typeOf(&spanKey)
}()

// typeOf returns what stands for the type in an interface value.
func typeOf(v *any) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(v)) }

// keyRecorder is a context that remembers what it was asked for.
type keyRecorder struct {
	context.Context
	key any
}

func (k *keyRecorder) Value(key any) any {
	k.key = key
	return nil
}
