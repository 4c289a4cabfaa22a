package observe

import (
	"context"

	"github.com/coredns/coredns/plugin/metadata"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// ask notes that the plugin below t is about to ask an upstream, and returns the
// context for it. forward names the upstream that it asks in the metadata and
// nowhere else; where it has several, and the metadata plugin gave no map, it gets
// one.
func (run *Run) ask(t *tap, ctx context.Context, r *dns.Msg) context.Context {
	if t.upstreams.chooses && metadata.ValueFuncs(ctx) == nil {
		ctx = metadata.ContextWithMetadata(ctx)
	}
	a := asked{tap: t, ctx: ctx, edns: option.RequestOf(r).HasOPT(), began: now()}
	if len(r.Question) == 1 {
		a.flight = t.upstreams.circle.begin(run.clientOf(), r.Question[0])
	}
	run.note().asked = a
	return ctx
}

// answered notes that the plugin below t has returned, and whether it brought a
// usable answer.
func (run *Run) answered(t *tap, rcode int, err error) {
	asked := &run.note().asked
	asked.ended = now()
	good := err == nil && rcode == dns.RcodeSuccess && !run.heardFailure()
	if good {
		t.lastGood.Store(int64(asked.ended))
	}
	if asked.flight != nil {
		asked.back = t.upstreams.circle.end(asked.flight, !good)
	}
}

// upstreamAt is the address of the upstream that the plugin below t named when it
// asked it (then named is true), or of the only one that it has.
func (run *Run) upstreamAt(t *tap) (addr string, named bool) {
	asked := run.notes.asked
	if asked.tap != t {
		return "", false
	}
	if name := metadata.ValueFunc(asked.ctx, "forward/upstream"); name != nil {
		return name(), true
	}
	return t.upstreams.only, false
}
