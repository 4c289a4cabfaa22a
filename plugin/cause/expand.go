package cause

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// expand fills the placeholders of text from e. A failing query fills two texts
// of a placeholder or two, so the values are made one by one.
func expand(text string, e *ev.Evidence) string {
	before, rest, ok := strings.Cut(text, "{")
	if !ok {
		return text
	}
	var b strings.Builder
	for ; ok; before, rest, ok = strings.Cut(rest, "{") {
		b.WriteString(before)
		name, after, closed := strings.Cut(rest, "}")
		value, known := placeholders[name]
		if !closed || !known {
			b.WriteByte('{')
			continue
		}
		b.WriteString(value(e))
		rest = after
	}
	b.WriteString(before)
	return b.String()
}

// placeholders are what stands between braces in the texts of the catalog.
var placeholders = map[string]func(*ev.Evidence) string{
	"elapsed":   timeAllowed,
	"upstreams": states,
	"others":    othersDown,
	"upstream": func(e *ev.Evidence) string {
		return cmp.Or(host(upstreamOf(e)), "the upstream") + ownAddress(asksItself(e))
	},
	"detail":     func(e *ev.Evidence) string { return e.Failure.Detail },
	"error":      func(e *ev.Evidence) string { return e.Failure.Text() },
	"with error": withError,
	"reason":     reason,
	"overheard":  overheard,
	"no EDNS":    withoutEDNS,
	"validity":   validity,
	"without":    withoutReason,
	"cut":        cutOff,
	"update":     updateReason,
	"rcode":      func(e *ev.Evidence) string { return rcodeName(e.Rcode) },
	"ra":         headerBits,
	"policies":   policies,
	"zone":       zoneConcerned,
	"at":         func(e *ev.Evidence) string { return e.At },
	"asked":      func(e *ev.Evidence) string { return ask(e.Asked) },
	"qname":      func(e *ev.Evidence) string { return option.Sanitize(e.Question.Name, 255) },
	"panic":      func(e *ev.Evidence) string { return e.Panic },
	"panicked":   pluginOfPanic,
	"panic at":   placeOfPanic,
	"changed by": func(e *ev.Evidence) string { return e.Changed.Plugin },
	"from":       func(e *ev.Evidence) string { return rcodeName(e.Changed.From) },
}

func placeOfPanic(e *ev.Evidence) string {
	if e.PanicAt == "" {
		return ""
	}
	return " (at " + e.PanicAt + ")"
}

// timeAllowed is how long an upstream was waited for. How long a plugin waits that
// CoreDNS does not ship is not seen.
func timeAllowed(e *ev.Evidence) string {
	if e.UpstreamElapsed == 0 {
		return "the time allowed"
	}
	return seconds(e.UpstreamElapsed)
}

func withError(e *ev.Evidence) string {
	if text := e.Failure.Text(); text != "" {
		return ": " + text
	}
	if e.At == "nomad" && e.Overheard.Text != "" {
		// It logs the error of each query.
		return ": " + e.Overheard.Text
	}
	return unsaid[e.At] + overheard(e)
}

// withoutReason says that the upstream gave no reason. Of a truncated answer that is not
// known: forward drops the OPT record from what it cuts, and so may others.
func withoutReason(e *ev.Evidence) string {
	if e.Reply.Truncated {
		return cutOff(e)
	}
	return " without a reason" + withoutRD(e) + withoutEDNS(e)
}

func cutOff(e *ev.Evidence) string {
	if e.Reply.Truncated {
		return ", truncated: a reason may have been cut off"
	}
	return ""
}

// updateReason is why an update is refused: dynupdate writes the same bare
// REFUSED for all of these.
func updateReason(e *ev.Evidence) string {
	if e.Reply.Signed {
		return "its key has no permission for one of its names or types, or the update exceeds the zone's limits"
	}
	return "it is not signed with a key that tsig has checked"
}

func headerBits(e *ev.Evidence) string {
	ra := "RA=0"
	if e.Reply.RecursionAvailable {
		ra = "RA=1"
	}
	if e.Reply.Authoritative {
		ra += ", AA=1"
	}
	return ra
}

// recurses reports whether the upstream says of itself that it is a resolver.
func recurses(e *ev.Evidence) bool { return e.Reply.RecursionAvailable && !e.Reply.Authoritative }

// policies are the reasons that a bare REFUSED may have.
func policies(e *ev.Evidence) string {
	missing := ""
	if e.NoRD {
		missing = "RD missing in the query, "
	}
	if recurses(e) {
		return missing + "access list, rate limit, or filter"
	}
	return missing + "access list, authoritative only, or overloaded"
}

func zoneConcerned(e *ev.Evidence) string {
	switch {
	case e.Zone.Name != "":
		return option.Sanitize(e.Zone.Name, 255)
	case isTransfer(e):
		return option.Sanitize(e.Question.Name, 255)
	}
	return "of the name"
}

// unsaid is what is known of plugins that fail without an error.
var unsaid = map[string]string{
	"kubernetes": ": it has not synced with the Kubernetes API",
	"kubernetai": ": it has not synced with the Kubernetes API",
	"nomad":      ": its own log lines have the error",
}

// did says what an upstream did, by the kind of the error.
var did = map[ev.Kind]string{
	ev.Timeout:      "timed out",
	ev.ConnRefused:  "refused the connection",
	ev.Unroutable:   "cannot be reached",
	ev.Closed:       "closed the connection",
	ev.TLS:          "failed",
	ev.Malformed:    "sent a reply that does not parse",
	ev.NoDescriptor: "not asked",
	ev.NetworkOther: "failed",
	ev.Stopped:      "was stopped",
}

// maxStates is how many upstreams a text names.
const maxStates = 6

// states names every configured upstream of the forward that failed and what
// is known of it: "192.0.2.53:53 timed out, 192.0.2.54:53 down since 14:02:11Z".
func states(e *ev.Evidence) string {
	var all []string
	if e.Upstream != "" && !listed(e) {
		all = append(all, stateOf(e, ev.Upstream{Addr: e.Upstream, Asked: true}))
	}
	for _, u := range e.Upstreams {
		all = append(all, stateOf(e, u))
	}
	switch what := deed(e, kindOf(e)); {
	case len(all) > 0:
		return listOf(all)
	case what == "":
		return e.At + " has none"
	case foreign(e):
		return cmp.Or(e.Failure.Peer, "an upstream of "+e.At) + " " + what
	default:
		return "the upstream " + what
	}
}

// othersDown names the upstreams, other than the one that answered, of which something
// bad is known: they are why no other answered.
func othersDown(e *ev.Evidence) string {
	var all []string
	for _, u := range e.Upstreams {
		if !u.Asked && (u.Down || u.Fails > 0) {
			all = append(all, stateOf(e, u))
		}
	}
	if len(all) == 0 {
		return ""
	}
	return "; " + listOf(all)
}

func listOf(states []string) string {
	if more := len(states) - maxStates; more > 0 {
		states = append(states[:maxStates], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(states, ", ")
}

func stateOf(e *ev.Evidence, u ev.Upstream) string {
	name := u.Addr + ownAddress(u.Own)
	switch {
	case u.Asked && deed(e, e.Failure.Kind) != "":
		return name + " " + deed(e, e.Failure.Kind)
	case u.Down && u.Since.IsZero():
		return name + " down"
	case u.Down:
		return name + " down since " + u.Since.UTC().Format(time.TimeOnly) + "Z"
	case u.Fails == 1:
		return name + " failed 1 health check"
	case u.Fails > 1:
		return fmt.Sprintf("%s failed %d health checks", name, u.Fails)
	}
	return name + " not known to be down"
}

func listed(e *ev.Evidence) bool {
	for _, u := range e.Upstreams {
		if u.Addr == e.Upstream {
			return true
		}
	}
	return false
}
