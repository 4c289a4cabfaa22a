package cause

import (
	"github.com/miekg/dns"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// A rule names the cause of the evidence for which it holds.
type rule struct {
	cause *Cause
	holds func(e *ev.Evidence) bool
}

// rules are tried in order and the first that holds names the cause, so that
// what is proven stands before what a plugin's name suggests.
var rules = []rule{
	{panicked, func(e *ev.Evidence) bool { return e.Shape == ev.Panicked }},
	// A cached failure has lost everything but its rcode.
	{cachedFailure, func(e *ev.Evidence) bool { return e.CacheHit }},

	// Proof beats what an upstream says: a loop brings back our own words.
	{forwardLoop, func(e *ev.Evidence) bool { return asksUpstream(e) && e.Loops }},
	{upstreamEDE, func(e *ev.Evidence) bool { return SaidByUpstream(e) && len(e.Options) > 0 }},
	{upstreamServfail, func(e *ev.Evidence) bool { return SaidByUpstream(e) && e.Rcode == dns.RcodeServerFailure }},
	{upstreamRefused, func(e *ev.Evidence) bool { return SaidByUpstream(e) && e.Rcode == dns.RcodeRefused }},

	{noNextPlugin, kind(ev.NoNextPlugin)},
	// Where others return an error, grpc returns a bare SERVFAIL.
	{noNextPlugin, silent("grpc", dns.RcodeServerFailure)},

	{concurrencyLimit, kind(ev.LimitExceeded)},
	{backendNotReady, notSynced},
	{noHealthyUpstream, func(e *ev.Evidence) bool {
		return (asksUpstream(e) || foreign(e)) && kindOf(e) == ev.NoHealthy && !gaveUp(e)
	}},
	{canceled, func(e *ev.Evidence) bool { return asksUpstream(e) && !foreign(e) && gaveUp(e) }},
	{upstreamLinkLocal, asksLinkLocal},
	{clockBehind, notYetValid},
	{upstreamTimeout, exchange(ev.Timeout)},
	{upstreamUnreachable, exchange(ev.ConnRefused)},
	{upstreamUnreachable, exchange(ev.Unroutable)},
	{upstreamClosed, exchange(ev.Closed)},
	{upstreamTLS, exchange(ev.TLS)},
	{upstreamMalformed, exchange(ev.Malformed)},
	{outOfSockets, exchange(ev.NoDescriptor)},
	{upstreamNetwork, exchange(ev.NetworkOther)},
	{upstreamNetwork, exchange(ev.Stopped)},

	{rewriteInvalidName, kind(ev.InvalidName)},
	{searchPathFailed, at("autopath", kind(ev.SearchPath))},
	{internalLookup, kind(ev.InternalLookup)},

	{aclBlock, at("acl", wrote(dns.RcodeRefused))},
	{tsigRequired, at("tsig", wrote(dns.RcodeRefused))},

	{updateDenied, at("dynupdate", update(dns.RcodeRefused))},
	{updateFailed, at("dynupdate", update(dns.RcodeServerFailure))},
	{backendNotReady, at("dynupdate", hasError)},
	{zoneNotLoaded, at("transfer", kind(ev.NoSOA))},
	{backendNotReady, at("transfer", kind(ev.StoreNotReady))},
	{transferDenied, at("transfer", wrote(dns.RcodeRefused))},
	{transferUnsupported, silent("transfer", dns.RcodeRefused)},
	{clientMalformed, silent("transfer", dns.RcodeServerFailure)},

	{notAuthoritative, zonePlugin(func(e *ev.Evidence) bool {
		return e.Rcode == dns.RcodeRefused && (e.Zone.State == ev.ZoneAbsent || e.Zone.State == ev.ZoneNone)
	})},
	{transferOff, func(e *ev.Evidence) bool {
		return e.Rcode == dns.RcodeRefused && isTransfer(e) && bare(e) && oneOf(e.At, "file", "auto", "secondary", "kubernetes", "dynupdate")
	}},
	{zoneExpired, zonePlugin(zoneIs(ev.ZoneExpired))},
	{zoneNotLoaded, zonePlugin(zoneIs(ev.ZoneNotLoaded))},
	// A loaded zone returns a bare SERVFAIL only where it cannot follow an alias
	// (plugin/file/lookup.go: a CNAME to itself, an empty DNAME, too many).
	{zoneLoop, zonePlugin(func(e *ev.Evidence) bool {
		return e.Rcode == dns.RcodeServerFailure && e.Zone.State == ev.ZoneLoaded && bare(e) && e.Nested == nil
	})},
	{zoneLoop, silent("dynupdate", dns.RcodeServerFailure)},
	// An alias whose target failed in a server block without ede.
	{cnameTargetFailed, func(e *ev.Evidence) bool {
		return e.Reply.Alias && e.Rcode == dns.RcodeServerFailure && followsAliases(e.At)
	}},
	{zoneUnusable, func(e *ev.Evidence) bool {
		return e.Rcode == dns.RcodeServerFailure && bare(e) && oneOf(e.At, "route53", "azure", "clouddns")
	}},

	{hostsMiss, silent("hosts", dns.RcodeServerFailure)},
	{templateError, at("template", kind(ev.TemplateFault))},
	{templateRcode, func(e *ev.Evidence) bool { return e.At == "template" && e.Reply.Written }},
	{templateRcode, func(e *ev.Evidence) bool { return e.Template == ev.TemplateRcode && bare(e) }},
	{templateNoMatch, func(e *ev.Evidence) bool { return e.Template == ev.TemplateNoMatch && bare(e) }},
	{erratic, silent("erratic", dns.RcodeServerFailure)},

	{backendError, at("kubernetes", hasError)},
	{backendNotReady, at("kubernetes", wrote(dns.RcodeServerFailure))},
	// It is several of CoreDNS's own.
	{backendError, at("kubernetai", hasError)},
	{backendNotReady, at("kubernetai", wrote(dns.RcodeServerFailure))},
	{backendNotReady, at("etcd", kind(ev.StoreNotReady))},
	{backendUnreachable, at("etcd", func(e *ev.Evidence) bool { return e.Failure.Kind.Network() || e.Failure.Kind == ev.Canceled })},
	{backendError, at("etcd", hasError)},
	{backendUnreachable, silent("nomad", dns.RcodeServerFailure)},

	// What is left are plugins that CoreDNS does not ship. Of them only what
	// they say themselves is believed, and the type of an error.
	{remoteUnreachable, func(e *ev.Evidence) bool { return !asksUpstream(e) && unreachable(e.Failure) }},
	// Whoever waits until a deadline waits for somebody.
	{upstreamTimeout, func(e *ev.Evidence) bool { return foreign(e) && kindOf(e) == ev.Timeout }},
	{pluginEDE, func(e *ev.Evidence) bool {
		return e.Reply.Written && !e.UpstreamAnswered && len(e.Options) > 0 && !hasError(e)
	}},
	{pluginRefused, refusesItself},
}

func kind(k ev.Kind) func(*ev.Evidence) bool {
	return func(e *ev.Evidence) bool { return e.Failure.Kind == k }
}

// exchange holds for an error of kind k of a plugin that asks upstreams.
func exchange(k ev.Kind) func(*ev.Evidence) bool {
	return func(e *ev.Evidence) bool { return asksUpstream(e) && kindOf(e) == k }
}

func at(plugin string, holds func(*ev.Evidence) bool) func(*ev.Evidence) bool {
	return func(e *ev.Evidence) bool { return e.At == plugin && holds(e) }
}

// silent holds for a plugin that returned an rcode and left nothing else.
func silent(plugin string, rcode int) func(*ev.Evidence) bool {
	return func(e *ev.Evidence) bool { return e.At == plugin && e.Rcode == rcode && bare(e) }
}

// bare holds where the innermost plugin gave no error and wrote no message; a
// plugin above it may have written one, as rewrite does.
func bare(e *ev.Evidence) bool {
	return e.Failure.Kind == ev.NoError && e.Shape != ev.Panicked && (e.Returned || !e.Reply.Written)
}

func wrote(rcode int) func(*ev.Evidence) bool {
	return func(e *ev.Evidence) bool { return e.Rcode == rcode && e.Reply.Written && !e.Returned }
}

func update(rcode int) func(*ev.Evidence) bool {
	return func(e *ev.Evidence) bool { return e.Opcode == dns.OpcodeUpdate && wrote(rcode)(e) }
}

func hasError(e *ev.Evidence) bool { return e.Failure.Kind != ev.NoError }

func zonePlugin(holds func(*ev.Evidence) bool) func(*ev.Evidence) bool {
	return func(e *ev.Evidence) bool { return e.Zone.State != ev.ZoneUnknown && holds(e) }
}

func zoneIs(s ev.ZoneState) func(*ev.Evidence) bool {
	return func(e *ev.Evidence) bool { return e.Zone.State == s && e.Rcode == dns.RcodeServerFailure && bare(e) }
}

// unreachable holds for an error that can only come from the network: a deadline
// or an end of file may be that of anything, unless it names the other end.
func unreachable(f ev.Failure) bool {
	switch f.Kind {
	case ev.ConnRefused, ev.Unroutable, ev.TLS:
		return true
	case ev.Timeout, ev.Closed, ev.NetworkOther:
		return f.Peer != ""
	}
	return false
}

func asksUpstream(e *ev.Evidence) bool { return e.At == "forward" || e.At == "grpc" || forwards[e.At] }

// gaveUp holds where the query's context ended before an upstream was tried. A
// done context together with a network error is that error's cause.
func gaveUp(e *ev.Evidence) bool {
	return e.Failure.Kind == ev.Canceled || e.Failure.Kind == ev.NoHealthy && e.Untried
}

func isTransfer(e *ev.Evidence) bool {
	return e.Question.Qtype == dns.TypeAXFR || e.Question.Qtype == dns.TypeIXFR
}

func oneOf(s string, names ...string) bool {
	for _, n := range names {
		if s == n {
			return true
		}
	}
	return false
}
