package cause

import (
	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// Classify returns the verdict on e. It is a pure function.
func Classify(e *ev.Evidence) *Verdict {
	if inner := nested(e); inner != nil {
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
func nested(e *ev.Evidence) *Verdict {
	if e.Nested == nil || e.Shape == ev.Panicked || e.CacheHit {
		return nil
	}
	synthesizes := passed(e, "dns64") || passed(e, "siit")
	if asksUpstream(e) && !synthesizes {
		return nil
	}
	inner := Classify(e.Nested)
	if synthesizes || !followsAliases(e.At) || inner.Cause == zoneLoop {
		inner.note("found by the lookup inside " + e.At)
		return inner
	}
	outer := newVerdict(cnameTargetFailed, e)
	if inner.Cause.Rank > Unexplained {
		outer.Statements = inner.Statements
		outer.Lasts, outer.Owner = inner.Lasts, inner.Owner
		outer.Advice = inner.Advice
		outer.Upstream = inner.Upstream
	}
	outer.note("the target failed with " + inner.Cause.ID)
	outer.notes = append(outer.notes, inner.Trace()...)
	return outer
}

// followsAliases is true for the plugins that look up the target of a CNAME
// through plugin/pkg/upstream.
func followsAliases(plugin string) bool {
	return oneOf(plugin, "file", "auto", "secondary", "dynupdate", "kubernetes", "etcd", "template",
		"route53", "azure", "clouddns", "k8s_external", "nomad")
}

func passed(e *ev.Evidence, plugin string) bool { return oneOf(plugin, e.Path...) }
