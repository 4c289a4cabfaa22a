package observe

import (
	"context"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/mocktracer"
)

func TestTheKeyOfASpanIsKnown(t *testing.T) {
	if spanKeyType == nil {
		t.Error("opentracing's key has more than one value: runs ask all contexts above them for a span")
	}
}

func TestARunBearsTheSpanOfItsContextOrOneGivenLater(t *testing.T) {
	query, _ := success()
	l := NewLadder(nil)
	span := mocktracer.New().StartSpan("query")
	with := opentracing.ContextWithSpan(context.Background(), span)

	if got := opentracing.SpanFromContext(l.Begin(with, new(discard), query)); got != span {
		t.Errorf("a traced run has %v", got)
	}
	run := l.Begin(context.Background(), new(discard), query)
	if got := opentracing.SpanFromContext(run); got != nil {
		t.Errorf("a run that is not traced has %v", got)
	}
	if got := opentracing.SpanFromContext(opentracing.ContextWithSpan(run, span)); got != span {
		t.Errorf("a context below a run has %v", got)
	}
	if got := run.detach(with, query); opentracing.SpanFromContext(got) != span || !got.Traced() {
		t.Error("a refresh of a traced query lost its span")
	}
}
