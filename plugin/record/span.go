package record

import (
	"context"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
)

// Tag puts the cause of f on the span of this plugin, if the query is traced, and marks
// the span as one that failed.
func Tag(ctx context.Context, f *Failure) {
	span := opentracing.SpanFromContext(ctx)
	if span == nil {
		return
	}
	ext.Error.Set(span, true)
	span.SetTag("ede.cause", f.Verdict.Cause.ID)
	span.SetTag("ede.code", codesOf(f.Verdict))
	span.SetTag("ede.owner", string(f.Verdict.Owner))
}
