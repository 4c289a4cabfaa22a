package cause

import (
	"strings"

	"github.com/miekg/dns"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

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
	if name, ok := strings.CutPrefix(folder, "plugin/"); ok && passed(e, name) {
		return name
	}
	return e.At
}
