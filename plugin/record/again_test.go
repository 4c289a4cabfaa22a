package record

import (
	"context"
	"strings"
	"testing"

	"github.com/coredns/coredns/plugin/metadata"
)

func TestThePodOfAClientIsBoundedAndHarmless(t *testing.T) {
	ctx := metadata.ContextWithMetadata(context.Background())
	metadata.SetValueFunc(ctx, "kubernetes/client-namespace", func() string { return "shop\n\x1b[2J" + strings.Repeat("x", 100) })
	metadata.SetValueFunc(ctx, "kubernetes/client-pod-name", func() string { return strings.Repeat("p", 1000) })
	p := ClientFull.Pod(ctx)
	if len(p.Namespace) > maxNamespace || len(p.Name) > maxPod || strings.ContainsAny(p.Namespace, "\n\x1b") || !strings.HasPrefix(p.Namespace, "shop") {
		t.Errorf("%+v", p)
	}
	if p := ClientPrefix.Pod(ctx); p.Name == "" {
		t.Error("a prefix leaves the Pod out")
	}
	if p := ClientNone.Pod(ctx); p != (Pod{}) {
		t.Errorf("with none there is %+v", p)
	}
	if p := ClientFull.Pod(context.Background()); p != (Pod{}) {
		t.Errorf("without metadata there is %+v", p)
	}
}
