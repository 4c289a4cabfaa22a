package cause

import (
	"strings"

	"github.com/miekg/dns"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// forwards are the plugins that CoreDNS does not ship and that give the answers of
// upstreams.
var forwards = map[string]bool{"alternate": true, "dnsredir": true, "fanout": true, "forwardcrd": true, "proxy": true}

// foreign reports whether e is of a plugin that CoreDNS does not ship.
func foreign(e *ev.Evidence) bool { return e.At != "" && !ev.Stock[e.At] }

// SaidByUpstream reports whether the failing message of e, and the EDEs in it, are
// an upstream's. Of a plugin that CoreDNS does not ship that is so if it is known
// to do nothing but forward, or if the message came over the wire as it stands;
// what else it sends may be its own policy.
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
