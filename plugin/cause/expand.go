package cause

import (
	"fmt"
	"strings"
	"time"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// expander fills the placeholders of a text from e.
func expander(e *ev.Evidence) *strings.Replacer {
	withError := unsaid[e.At]
	if e.Failure.Text != "" {
		withError = ": " + e.Failure.Text
	}
	ra := "RA=0"
	if e.Reply.RecursionAvailable {
		ra = "RA=1"
	}
	if e.Reply.Authoritative {
		ra += ", AA=1"
	}
	// dynupdate writes the same bare REFUSED for all of these.
	update := "it is not signed with a key that tsig has checked"
	if e.Reply.Signed {
		update = "its key has no permission for a name or type in it, or it exceeds the zone's limits"
	}
	upstream := host(e.Upstream)
	if upstream == "" {
		upstream = "the upstream"
	}
	zone := e.Zone.Name
	switch {
	case zone == "" && isTransfer(e):
		zone = e.Question.Name
	case zone == "":
		zone = "of the name"
	}
	noEDNS := ""
	if e.NoEDNS {
		noEDNS = "; asked without EDNS, it cannot say why"
	}
	return strings.NewReplacer(
		"{elapsed}", seconds(e.UpstreamElapsed),
		"{upstreams}", states(e),
		"{upstream}", upstream,
		"{detail}", e.Failure.Detail,
		"{error}", e.Failure.Text,
		"{with error}", withError,
		"{no EDNS}", noEDNS,
		"{update}", update,
		"{rcode}", rcodeName(e.Rcode),
		"{ra}", ra,
		"{zone}", option.Sanitize(zone, 255),
		"{at}", e.At,
		"{asked}", ask(e.Asked),
		"{qname}", option.Sanitize(e.Question.Name, 255),
		"{panic}", e.Panic,
	)
}

// unsaid is what is known of plugins that fail without an error.
var unsaid = map[string]string{
	"kubernetes": ": it has not synced with the Kubernetes API",
	"nomad":      ": its own log lines have the error",
}

// did says what an upstream did, by the kind of the error.
var did = map[ev.Kind]string{
	ev.Timeout:      "timed out",
	ev.ConnRefused:  "refused the connection",
	ev.Unroutable:   "has no route",
	ev.Closed:       "closed the connection",
	ev.TLS:          "failed",
	ev.Malformed:    "sent it",
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
	if len(all) == 0 {
		return "the upstream " + did[e.Failure.Kind]
	}
	if more := len(all) - maxStates; more > 0 {
		all = append(all[:maxStates], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(all, ", ")
}

func stateOf(e *ev.Evidence, u ev.Upstream) string {
	switch {
	case u.Asked && did[e.Failure.Kind] != "":
		return u.Addr + " " + did[e.Failure.Kind]
	case u.Down && u.Since.IsZero():
		return u.Addr + " down"
	case u.Down:
		return u.Addr + " down since " + u.Since.UTC().Format(time.TimeOnly) + "Z"
	case u.Fails == 1:
		return u.Addr + " failed 1 health check"
	case u.Fails > 1:
		return fmt.Sprintf("%s failed %d health checks", u.Addr, u.Fails)
	}
	return u.Addr + " not known to be down"
}

func listed(e *ev.Evidence) bool {
	for _, u := range e.Upstreams {
		if u.Addr == e.Upstream {
			return true
		}
	}
	return false
}

// seconds prints d as a person would: "2.0 s", "0.04 s".
func seconds(d time.Duration) string {
	if d >= time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.2g s", d.Seconds())
}
