package cause

import (
	"slices"
	"strings"

	"github.com/miekg/dns"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// Recall returns the verdict remembered for the failure e, which came from cache
// without its cause, or nil.
type Recall func(e *ev.Evidence) *Verdict

// Classify returns the verdict on e. It is a pure function.
func Classify(e *ev.Evidence) *Verdict { return ClassifyWith(e, nil) }

// ClassifyWith is Classify for evidence with internal lookups in it. recall gives the
// verdicts of lookups that failed from cache, and may be nil.
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
		outer.Upstream, outer.noRD = inner.Upstream, inner.noRD
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
// plugin is named, and what it made the failure of is kept.
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

// forwards are the plugins that CoreDNS does not ship and that give the answers of
// upstreams.
var forwards = map[string]bool{"alternate": true, "dnsredir": true, "fanout": true, "forwardcrd": true, "proxy": true}

// foreign reports whether e is of a plugin that CoreDNS does not ship.
func foreign(e *ev.Evidence) bool { return e.At != "" && !ev.Stock[e.At] }

// SaidByUpstream reports whether the failing message of e, and the EDEs in it, are
// an upstream's. For a plugin that CoreDNS does not ship they are only if the plugin is
// known to do nothing but forward, or if the message is unchanged since it came over the
// wire: any other may be the plugin's own policy.
func SaidByUpstream(e *ev.Evidence) bool {
	return e.UpstreamAnswered || foreign(e) && e.Reply.Written && !e.Returned && !hasError(e) && (forwards[e.At] || e.Reply.Received)
}

// upstreamOf is the address that was asked last, if it is known.
func upstreamOf(e *ev.Evidence) string {
	if e.Upstream == "" && forwards[e.At] {
		return e.Failure.Peer
	}
	return e.Upstream
}

// unsynced are ways to say that a copy of a data source is not there yet. None can
// stand in a name that a client asked for, where a space is "\032".
var unsynced = []string{"could not sync", "not synced", "not been synced", "not yet synced", "not synchronized"}

// notSynced holds for a plugin that says that its data source is not synced yet.
func notSynced(e *ev.Evidence) bool {
	return foreign(e) && hasError(e) && e.Rcode == dns.RcodeServerFailure && says(e, unsynced...)
}

// kindOf is the kind of the error of e. Plugins that CoreDNS does not ship have
// errors of their own types, or wrap others so that their type is lost: then their
// words tell.
func kindOf(e *ev.Evidence) ev.Kind {
	if e.Failure.Kind != ev.Other || !foreign(e) {
		return e.Failure.Kind
	}
	switch {
	case says(e, "no healthy"):
		return ev.NoHealthy
	case says(e, "deadline exceeded", "i/o timeout"):
		return ev.Timeout
	}
	return ev.Other
}

func says(e *ev.Evidence, phrases ...string) bool {
	text := strings.ToLower(e.Failure.Text())
	for _, phrase := range phrases {
		if strings.Contains(text, phrase) {
			return true
		}
	}
	return false
}

// refusesItself holds for a REFUSED that a plugin gave of itself: it returned no
// more than the rcode, or wrote a message as one makes it here, not as a resolver
// sends it.
func refusesItself(e *ev.Evidence) bool {
	return foreign(e) && !forwards[e.At] && e.Rcode == dns.RcodeRefused && !hasError(e) && len(e.Options) == 0 &&
		(bare(e) || !e.Reply.RecursionAvailable && !e.Reply.Received)
}

// byRecursion makes the advice on a refusal by what says that it is a resolver.
func (v *Verdict) byRecursion(e *ev.Evidence) {
	if v.Cause == upstreamRefused && recurses(e) {
		v.Advice = "Check the upstream's access list and its rate limit for this server's address, and whether it filters this name."
	}
}

// byDesire blames nobody for an answer to a query without RD, unless its reason is another one:
// many resolvers refuse such a query.
func (v *Verdict) byDesire(e *ev.Evidence) {
	code := v.Code()
	byPolicy := v.Cause == upstreamEDE && (code == dns.ExtendedErrorCodeProhibited || code == dns.ExtendedErrorCodeNotAuthoritative)
	if !e.NoRD || v.Cause != upstreamServfail && v.Cause != upstreamRefused && !byPolicy {
		return
	}
	v.Owner, v.Lasts, v.Advice = Nobody, LastsOpen, adviceNoRD
	if e.RDCleared {
		v.Advice = adviceRDCleared
	}
}

// byLocalName begins the advice on names that many resolvers answer by themselves. The upstream may
// be the zone's own server, as one of Active Directory: then the advice on other names is right.
func (v *Verdict) byLocalName(e *ev.Evidence) {
	if (v.Cause == upstreamServfail || v.Cause == upstreamRefused) && isLocal(e.Asked.Name) {
		v.Advice = adviceLocal + v.Advice
	}
}

// isLocal is true for names of multicast DNS (RFC 6762 section 3).
func isLocal(name string) bool {
	const local = ".local."
	return strings.EqualFold(name, local[1:]) || len(name) > len(local) && strings.EqualFold(name[len(name)-len(local):], local)
}

const adviceLocal = "Names in .local belong to multicast DNS (RFC 6762). systemd-resolved and other stub resolvers do not forward such names, and fail them or refuse them by themselves. If the zone has servers of its own, forward it to them: forward ZONE ADDRESS. If the upstream is one of them: "

// byTruncation makes the advice on an answer that was cut and gave no reason: the whole
// of it may have one.
func (v *Verdict) byTruncation(e *ev.Evidence) {
	if e.Reply.Truncated && (v.Cause == upstreamServfail || v.Cause == upstreamRefused) {
		v.Advice = "Ask the upstream over TCP, where nothing is cut: dig @UPSTREAM NAME +tcp. If the answer over TCP has a reason, set force_tcp in the forward plugin to get the reason here."
	}
}

// asksItself reports whether the upstream that was asked has the address that the query came to.
func asksItself(e *ev.Evidence) bool {
	return slices.ContainsFunc(e.Upstreams, func(u ev.Upstream) bool { return u.Asked && u.Own })
}

// byOwnAddress blames no upstream with the address that the query came to. The network may take
// what is sent there elsewhere, or another server block may answer: so this proves nothing else.
func (v *Verdict) byOwnAddress(e *ev.Evidence) {
	hearsay := v.Cause == upstreamEDE && hearsayOf(v.Code()) == OfReach
	answered := v.Cause == upstreamServfail || v.Cause == upstreamRefused
	if asksItself(e) && (answered || hearsay || v.Owner == Upstream && (v.Cause == upstreamEDE || slices.Contains(exchangeCauses, v.Cause))) {
		v.Owner, v.Lasts, v.Advice = Nobody, LastsOpen, adviceOwnAddress
	}
}

const adviceOwnAddress = "This server itself listens at the address of the upstream, so it may be asking itself. If no server block is meant to answer there, take the address out of the forward plugin, or out of the file that forward reads. If one is, look at the failures of that block."

// The advice on an answer to a query without RD.
const (
	adviceNoRD      = "The query had no RD (recursion desired), and many resolvers refuse such a query or answer it from their cache only. If the client is a server or a script, let it set RD; dig without +norecurse does. Test: dig @UPSTREAM NAME. If that fails too, RD is not the reason."
	adviceRDCleared = "This server cleared RD (recursion desired) of the query, and many resolvers refuse such a query or answer it from their cache only. Look in the Corefile for a header plugin with query clear rd. Test: dig @UPSTREAM NAME. If that fails too, RD is not the reason."
)
