package preflight

import (
	"fmt"
	"slices"
)

// ForwardToSelf is the Code of a warning that queries forwarded from a block
// come back to it. It stands at the line of the forward.
const ForwardToSelf = "forward-to-self"

// A check is one kind of mistake.
type check struct {
	code    string
	text    string // format for the arguments of a finding
	fix     string
	reports []string
	find    func(*config, *server) []finding
}

func (c check) warning(s *server, f finding) Warning {
	text := fmt.Sprintf(c.text, f.args...)
	if f.file != s.File || f.line < s.Line {
		text += fmt.Sprintf(" (in the block of %s)", listed(s.Keys...)) // imported
	}
	return Warning{
		Code: c.code, File: f.file, Line: f.line, Text: text, Fix: c.fix, Reports: slices.Clone(c.reports),
	}
}

// Codes are those of all checks, in the order in which they are made.
func Codes() []string {
	codes := make([]string, len(checks))
	for i, c := range checks {
		codes[i] = c.code
	}
	return codes
}

var checks = []check{
	{
		code:    "dead-end",
		text:    "no plugin of this block answers ordinary names under %s, only those under %s; all others get SERVFAIL (no next plugin found)",
		fix:     "add forward below, or give the block only the zones it can answer",
		reports: []string{"coredns#2166", "coredns#4062", "coredns#5779"},
		find:    findDeadEnd,
	}, {
		code:    "fallthrough-to-nowhere",
		text:    "%s falls through for names under %s, but nothing below answers them; what it does not find gets SERVFAIL (no next plugin found)",
		fix:     "add forward below; to say NXDOMAIN leave fallthrough out, but hosts and template fail without it as well: serve such a zone with file",
		reports: []string{"coredns#5779", "coredns#6855", "kubernetes/kubernetes#83319"},
		find:    findFallthroughToNowhere,
	}, {
		code:    "hosts-without-fallthrough",
		text:    "hosts has no fallthrough, so every name that is not in its file gets SERVFAIL and %s is not asked",
		fix:     "add fallthrough to hosts",
		reports: []string{"coredns#7942"},
		find:    findHiding("hosts"),
	}, {
		code:    "template-without-fallthrough",
		text:    "template has no fallthrough, so every name of its type that match does not fit gets SERVFAIL and %s is not asked",
		fix:     "add fallthrough to template",
		reports: []string{"coredns#3034"},
		find:    findHiding("template"),
	}, {
		code:    "unreachable-forward",
		text:    "%s is never asked: %s (line %d) answers every name of this block, and names outside of the block's zones do not come here",
		fix:     "remove it, or move it to a block for the names it is meant for",
		reports: []string{"coredns#618"},
		find:    findUnreachableForward,
	}, {
		code:    ForwardToSelf,
		text:    "forward sends names under %s to %s, where this process takes them to the same block again, in a circle",
		fix:     "forward to a resolver that is not this process",
		reports: []string{"coredns#2391", "coredns#2161", "coredns#1712"},
		find:    findForwardLoop,
	}, {
		code:    "loop-without-forward",
		text:    "loop has nothing to watch: no plugin of this block forwards, and its probe at start may fail with SERVFAIL (no next plugin found)",
		fix:     "remove loop",
		reports: []string{"coredns#4062", "coredns#5779", "coredns#5952"},
		find:    findIdleLoop,
	}, {
		code:    "autopath-without-source",
		text:    "autopath takes its search path from %s, which is not in this block; it does nothing",
		fix:     "put both into one block",
		reports: []string{"coredns#2552"},
		find:    findLoneAutopath,
	}, {
		code:    "autopath-without-pods-verified",
		text:    "autopath @kubernetes does nothing unless kubernetes has pods verified",
		fix:     "set pods verified, or remove autopath",
		reports: []string{"coredns#1752"},
		find:    findUnverifiedAutopath,
	}, {
		code:    "autopath-without-forward",
		text:    "autopath looks for names outside of the cluster in this block, where nothing answers them; clients get SERVFAIL for them",
		fix:     "add forward below, or remove autopath",
		reports: []string{"coredns#2532", "coredns#2552"},
		find:    findStrandedAutopath,
	}, {
		code:    "autopath-past-blocks",
		text:    "autopath sends names under %s to this block's upstreams, not to the block that serves them, when clients ask with a search path",
		fix:     "forward these zones in this block too, above the forward for \".\"",
		reports: []string{"coredns#2539"},
		find:    findBypassedBlocks,
	}, {
		code:    "no-catch-all",
		text:    "no block on port %s serves \".\": a name outside of %s gets REFUSED, and clients do not go on to their next server as they would with SERVFAIL",
		fix:     "add a block for \".\" that forwards, or that answers with a template of your choice",
		reports: []string{"coredns#6805"},
		find:    findNoCatchAll,
	}, {
		code:    "views-without-default",
		text:    "all blocks for %s have a view: a query that fits none gets REFUSED",
		fix:     "add a block without a view for the same zone",
		reports: []string{"coredns#5538"},
		find:    findViewsOnly,
	}, {
		code: "minimal-above-etcd",
		text: "when etcd cannot be reached, minimal drops the SERVFAIL; the client gets no answer at all where ede does not give it one",
		fix:  "remove minimal from blocks with etcd",
		find: findSwallowedErrors,
	}, {
		code: "ede-too-low",
		text: "ede was built in below %s: what these answer or fail with goes out unexplained",
		fix:  "build CoreDNS with ede right after dnstap in plugin.cfg",
		find: findLowEDE,
	}, {
		code: "ede-outside-of-the-block",
		text: "ede is for names under %s, none of which come to this block; it explains nothing",
		fix:  "write the zones of this block, or none for all of them",
		find: findIdleEDE,
	},
}
