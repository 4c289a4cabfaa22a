package record

import (
	"context"
	"strconv"
	"strings"

	"github.com/coredns/coredns/plugin/metadata"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
)

// Labels are the metadata labels of a failure, in the order of the README.
var Labels = []string{"ede/cause", "ede/code", "ede/text", "ede/at", "ede/upstream", "ede/lasts", "ede/owner"}

// Label puts the metadata labels of f into ctx, for the log plugin and for
// dnstap's extra field. Without the metadata plugin it does nothing.
func Label(ctx context.Context, f *Failure) {
	if metadata.ValueFuncs(ctx) == nil {
		return
	}
	v := f.Verdict
	set := func(label, value string) {
		metadata.SetValueFunc(ctx, label, func() string { return value })
	}
	set("ede/cause", v.Cause.ID)
	set("ede/code", codesOf(v))
	set("ede/text", v.Text())
	set("ede/at", v.At)
	set("ede/upstream", v.Upstream)
	set("ede/lasts", string(v.Lasts))
	set("ede/owner", string(v.Owner))
}

// codesOf are the INFO-CODEs of v in one word, "6,22".
func codesOf(v *cause.Verdict) string {
	codes := make([]string, 0, len(v.Statements))
	for _, code := range v.Codes() {
		codes = append(codes, strconv.Itoa(int(code)))
	}
	return strings.Join(codes, ",")
}

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
