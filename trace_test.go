package ede

import (
	"context"
	"slices"
	"testing"

	"github.com/coredns/coredns/plugin"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/mocktracer"
)

func TestATracedQueryHasASpanForEachPlugin(t *testing.T) {
	query, answer := success()
	tracer := mocktracer.New()
	ctx := opentracing.ContextWithSpan(context.Background(), tracer.StartSpan("servedns"))
	if _, err := plugin.NextOrFailure("trace", chain(t, "ede", answer), ctx, new(discard), query); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, span := range tracer.FinishedSpans() {
		got = append(got, span.OperationName)
	}
	slices.Reverse(got) // the innermost ends first
	if want := []string{"ede", "rewrite", "acl", "loadbalance", "header", "minimal", "cache"}; !slices.Equal(got, want) {
		t.Errorf("spans %q, want %q", got, want)
	}
}
