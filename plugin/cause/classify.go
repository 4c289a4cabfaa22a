package cause

import (
	"strings"

	"github.com/miekg/dns"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// Recall returns the verdict that is remembered of e, which came out of the
// cache and lost its cause there, or nil.
type Recall func(e *ev.Evidence) *Verdict

// Classify returns the verdict on e. It is a pure function.
func Classify(e *ev.Evidence) *Verdict { return ClassifyWith(e, nil) }

// ClassifyWith is Classify for evidence with internal lookups in it, whose
// failures out of the cache are those that recall knows. recall may be nil.
func ClassifyWith(e *ev.Evidence, recall Recall) *Verdict {
	if e.Changed.Plugin != "" && e.Shape != ev.Panicked {
		return changed(e, recall)
	}
	if inner := nested(e, recall); inner != nil {
		return inner
	}
	for _, r := range rules {
		if r.holds(e) {
			return newVerdict(r.cause, e)
		}
	}
	return newVerdict(unknown, e)
}

// nested returns the verdict of e if an internal lookup decided it: the target
// of an alias, or the other address family of dns64 and siit.
func nested(e *ev.Evidence, recall Recall) *Verdict {
	if e.Nested == nil || e.Shape == ev.Panicked || e.CacheHit {
		return nil
	}
	synthesizes := passed(e, "dns64") || passed(e, "siit")
	if (asksUpstream(e) || SaidByUpstream(e)) && !synthesizes {
		return nil
	}
	inner := lookup(e.Nested, recall)
	if synthesizes || !followsAliases(e.At) || inner.Cause == zoneLoop {
		inner.note("found by the lookup inside " + e.At)
		return inner
	}
	outer := newVerdict(cnameTargetFailed, e)
	if inner.Cause.Rank > Unexplained {
		outer.Statements, outer.Since = inner.Statements, inner.Since
		outer.Lasts, outer.Owner = inner.Lasts, inner.Owner
		outer.Advice = inner.Advice
		outer.Upstream = inner.Upstream
	}
	outer.note("the target failed with " + inner.Cause.ID)
	outer.notes = append(outer.notes, inner.Trace()...)
	return outer
}

// lookup returns the verdict on an internal lookup. It is the caller's own.
func lookup(e *ev.Evidence, recall Recall) *Verdict {
	if e.CacheHit && recall != nil {
		if known := recall(e); known != nil {
			own := *known
			return &own
		}
	}
	return ClassifyWith(e, recall)
}

// followsAliases is true for the plugins that look up the target of a CNAME
// through plugin/pkg/upstream.
func followsAliases(plugin string) bool {
	return oneOf(plugin, "file", "auto", "secondary", "dynupdate", "kubernetes", "etcd", "template",
		"route53", "azure", "clouddns", "k8s_external", "nomad")
}

func passed(e *ev.Evidence, plugin string) bool { return oneOf(plugin, e.Path...) }

// changed returns the verdict on e, whose rcode a plugin made of another one: that
// plugin is named, and what it made the failure of stays beside it.
func changed(e *ev.Evidence, recall Recall) *Verdict {
	v := newVerdict(rcodeChanged, e)
	v.At, v.Upstream = e.Changed.Plugin, ""
	v.Statements = []Statement{{Code: rcodeChanged.Code, Brief: expand(rcodeChanged.Brief, e), Full: v.Own, names: true}}
	if from := e.Changed.From; from != dns.RcodeServerFailure && from != dns.RcodeRefused {
		return v
	}
	before := *e
	before.Rcode, before.Changed = e.Changed.From, ev.Changed{}
	below := lookup(&before, recall)
	if below.Cause.Rank == Unexplained {
		return v
	}
	v.Upstream = below.Upstream
	v.Statements = append(v.Statements, telling(below.Statements)...)
	v.note("before that it failed with " + below.Cause.ID)
	return v
}

// pluginOfPanic is the plugin whose folder a panic happened in, if the query passed it.
func pluginOfPanic(e *ev.Evidence) string {
	folder, _, _ := strings.Cut(e.PanicAt, " ")
	name, _ := strings.CutPrefix(folder, "plugin/")
	if name, _, _ = strings.Cut(name, "/"); passed(e, name) {
		return name
	}
	return e.At
}
