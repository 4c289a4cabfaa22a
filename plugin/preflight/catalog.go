package preflight

import "slices"

var checks = slices.Concat(keyChecks, chainChecks, otherChecks)

var keyChecks = []check{
	{
		code: "not-judged",
		text: "%s not judged: %s",
		fix:  "split the block, or check it yourself",
		find: findUnjudged,
	}, {
		code: "address-as-key",
		text: "CoreDNS reads the key %s as a zone name, not as an address: clients that query this block get REFUSED",
		fix:  "write the zones as the keys, for example `.`, and `bind ADDRESS` in the block",
		find: findAddressKeys,
	}, {
		code: "reverse-zone-misspelt",
		text: "the zone %s looks misspelt: queries for names under %s do not come here; another block or plugin answers them, or clients get REFUSED or SERVFAIL",
		fix:  "write `in-addr.arpa` with the octets in reverse order, or `ip6.arpa` with the hexadecimal digits in reverse order, or the network, for example `192.0.2.0/24`",
		find: findMisspeltZones,
	}, {
		code: "impossible-zone",
		text: "clients ask for no name under the zone %s: %s",
		find: findImpossibleZones,
	}, {
		code: "zone-twice",
		text: "the zone %s %s: CoreDNS does not start",
		fix:  "merge the two blocks, or separate them with `bind` or `view`",
		find: findTwice,
	}, {
		code: "invalid-key",
		text: "the key %s is no zone with a port (%s): CoreDNS does not start",
		fix:  "write a zone such as `example.org`, alone or with a port, for example `.:1053`, and a space before the brace",
		find: findInvalidKeys,
	}, {
		code: "unset-variable",
		text: "the variable %s in the key %s has no value here: %s",
		fix:  "set the variable in the environment of CoreDNS, or write the zone itself",
		find: findUnsetVariables,
	}, {
		code: unknownDirective,
		text: "%s is no plugin of CoreDNS: CoreDNS does not start",
		find: findUnknownDirectives,
	}, {
		code: "plugin-twice",
		text: "%s stands in this block twice, also in %s: CoreDNS does not start",
		fix:  "write one use of the plugin, with what both have, or give one of them a block of its own with the zones that it is for",
		find: findRepeated,
	}, {
		code: "removed-option",
		text: "%s is no longer a part of CoreDNS: CoreDNS does not start",
		find: findRemoved,
	},
}

var otherChecks = []check{
	{
		code:    ForwardToSelf,
		text:    "forward sends %s to %s, where this process listens: unless another process has that address, the query comes back to the same block in a loop and is never answered; if forward has no other upstream, clients get SERVFAIL",
		fix:     "forward to a resolver that is not this process",
		reports: []string{"coredns#2391", "coredns#2161", "coredns#1712"},
		find:    findForwardLoop,
	}, {
		code: "forward-file-unreadable",
		text: "forward takes its upstreams from the file %s, which cannot be read here: %s; without this file CoreDNS does not start",
		fix:  "write the path of a file in the format of resolv.conf, or write the addresses",
		find: findUnreadable,
	}, {
		code: "tls-without-tls",
		text: "%s has %s, but none of its upstreams is written with tls://: queries leave in clear text",
		fix:  "write `tls://` before each address",
		find: findPlainTLS,
	}, {
		code: "link-local-upstream",
		text: "%s cannot reach %s, a link-local address without an interface: if there is no other upstream, clients get SERVFAIL",
		fix:  "write another address of that server: forward drops the interface (the part after %), both in a file and in the Corefile",
		find: findLinkLocal,
	}, {
		code: "rewrite-without-answer",
		text: "rewrite changes %[2]s to %[1]s, and the records of the answer have the new name: clients that compare the names ignore the answer",
		fix:  "add `answer auto` to the rule",
		find: findOneWayRewrites,
	}, {
		code: "rewrite-to-invalid-name",
		text: "rewrite changes %[2]s to %[1]s, which is no domain name: clients get SERVFAIL",
		fix:  "write the rule so that the new name has one dot between its labels, and one at its end",
		find: findInvalidNames,
	}, {
		code:    "loop-without-forward",
		text:    "loop has nothing to watch: no plugin of this block forwards, and its probe at start may fail with SERVFAIL (no next plugin found)",
		fix:     "remove loop",
		reports: []string{"coredns#4062", "coredns#5779", "coredns#5952"},
		find:    findIdleLoop,
	}, {
		code:    "autopath-without-source",
		text:    "autopath takes its search path from %s, which is not in this block; so autopath does nothing",
		fix:     "put both plugins into one block",
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
		text:    "autopath looks up names outside the cluster in this block, where no plugin answers them: clients get SERVFAIL",
		fix:     "add forward below, or remove autopath",
		reports: []string{"coredns#2532", "coredns#2552"},
		find:    findStrandedAutopath,
	}, {
		code:    "autopath-past-blocks",
		text:    "if clients use a search path, autopath sends names under %s to the upstreams of this block, and not to the block that serves these names",
		fix:     "add a forward for these zones to this block too, above the forward for \".\"",
		reports: []string{"coredns#2539"},
		find:    findBypassedBlocks,
	}, {
		code:    "no-catch-all",
		text:    "no block on port %s serves \".\": a name outside of %s gets REFUSED, and a client that has no other server cannot resolve it",
		fix:     "add a block for \".\" with forward, or with a template that gives the answer that you want",
		reports: []string{"coredns#6805"},
		find:    findNoCatchAll,
	}, {
		code:    "views-without-default",
		text:    "all blocks for %s have a view: a query that no view accepts gets REFUSED",
		fix:     "add below them a block without a view for the same zone and port",
		reports: []string{"coredns#5538"},
		find:    findViewsOnly,
	}, {
		code: "view-below-default",
		text: "this view is never used: all queries for %[2]s%[3]s go to the block of %[1]s, which stands above this block and has no view",
		fix:  "move this block above the block without a view",
		find: findLateViews,
	}, {
		code: "minimal-above-etcd",
		text: "when etcd cannot be reached, minimal drops the SERVFAIL, and the client gets no answer at all",
		fix:  "remove minimal from blocks with etcd",
		find: findSwallowedErrors,
	}, {
		code: "ede-too-low",
		text: "ede stands below %s in plugin.cfg: it does not see their failures, which stay unexplained",
		fix:  "build CoreDNS with ede right after dnstap in plugin.cfg",
		find: findLowEDE,
	}, {
		code: "ede-outside-of-the-block",
		text: "ede is for names under %s, none of which come to this block; it explains nothing",
		fix:  "write zones of this block after ede, or no zones: then ede explains all zones of the block",
		find: findIdleEDE,
	},
}

var chainChecks = []check{
	{
		code:    "dead-end",
		text:    "%s get SERVFAIL (no next plugin found)",
		fix:     "add the line `forward . ADDRESS` with the address of a resolver, or give the block only the zones that its plugins answer",
		reports: []string{"coredns#2166", "coredns#4062", "coredns#5779"},
		find:    findDeadEnd,
	}, {
		code:    "fallthrough-to-nowhere",
		text:    "%s passes on the %s that it does not have, and no plugin below answers them: clients get SERVFAIL (no next plugin found)",
		fix:     "add a plugin below it that answers these names, for example `forward . ADDRESS`, or remove fallthrough: then the names get NXDOMAIN",
		reports: []string{"coredns#5779", "coredns#6855", "kubernetes/kubernetes#83319"},
		find:    findFallthroughToNowhere,
	}, {
		code: "template-for-some-types",
		text: "template leaves %s to the plugins below, with or without fallthrough, and none of them answers: clients get SERVFAIL (no next plugin found)",
		fix:  "add `template ANY ANY` with `rcode NOERROR` as the last template, for an empty answer, or, if other plugins answer here, `forward . ADDRESS`",
		find: findOtherTypes,
	}, {
		code: "except-to-nowhere",
		text: "%s leaves %s to the plugins below, and none of them answers: clients get SERVFAIL (no next plugin found)",
		fix:  "add another `forward` for the zones in except, or remove except",
		find: findExcepted,
	}, {
		code:    "hosts-without-fallthrough",
		text:    "hosts has no fallthrough for %s: names that it does not list get SERVFAIL, and %s",
		fix:     "add the line `fallthrough` at the end of hosts",
		reports: []string{"coredns#7942"},
		find:    findHiding("hosts"),
	}, {
		code: "hosts-alone",
		text: "no plugin below hosts answers %s: names that hosts does not list get SERVFAIL, where NXDOMAIN is expected",
		fix:  "add the line `fallthrough` at the end of hosts, and below hosts the line `forward . ADDRESS`, or, for NXDOMAIN, the plugin `file` with a zone that has only an SOA record",
		find: findAlone("hosts"),
	}, {
		code:    "template-without-fallthrough",
		text:    "template has no fallthrough for %s: names that its `match` does not fit get SERVFAIL, and %s",
		fix:     "add the line `fallthrough` to template",
		reports: []string{"coredns#3034"},
		find:    findHiding("template"),
	}, {
		code: "template-alone",
		text: "no plugin below template answers %s: names that its `match` does not fit get SERVFAIL, where NXDOMAIN is expected",
		fix:  "add the line `fallthrough` to template, and below it `template ANY ANY` with `rcode NOERROR` as the last template, for an empty answer, or the line `forward . ADDRESS`",
		find: findAlone("template"),
	}, {
		code:    NeverAsked,
		text:    "%s is never asked: %s",
		fix:     "remove the plugin that is never asked, or limit it and the plugins above it to their own zones: a query goes to the first plugin whose zones contain the name",
		reports: []string{"coredns#618"},
		find:    findNeverAsked,
	}, {
		code: "hosts-entry-unused",
		text: "hosts gives no client the addresses of %s: %s",
		fix:  "write these names in a `hosts` of the block that gets them, or add their zone to the keys of this block",
		find: findUnusedEntries,
	},
}

// Codes are those of all checks, in the order in which they are made.
func Codes() []string {
	codes := make([]string, len(checks))
	for i, c := range checks {
		codes[i] = c.code
	}
	return codes
}
