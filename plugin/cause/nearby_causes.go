package cause

import (
	"net/netip"
	"strings"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// The causes for which this server itself is the nearest suspect and that the error of
// one exchange shows.

var (
	upstreamLinkLocal = &Cause{
		ID: "upstream_link_local", Code: 23, Lasts: Persistent, Owner: Us, Rank: Specific,
		Title:    "A link-local upstream is asked without its interface",
		When:     "An address of fe80::/10 is one of a single link (RFC 4007), and CoreDNS takes the interface off: what it reads from a file such as /etc/resolv.conf loses it, and forward reads what follows a % as the name on a TLS certificate.",
		Advice:   "Name another address of that server, one that is not link-local: forward cannot be told the interface.",
		Corefile: "forward . 192.0.2.53",
		Brief:    "the upstream's address is one of a single link, and it is asked without its interface",
		Full:     "{upstream} is a link-local address and is asked without its interface: it can never be reached",
	}
	clockBehind = &Cause{
		ID: "clock_behind", Code: 23, Lasts: Persistent, Owner: Us, Rank: Specific,
		Title:   "By this server's clock the upstream's certificate is not valid yet",
		When:    "The certificate begins later than now. That is nearly always the clock here, as on a board without a battery that has just started; else the certificate was made too early.",
		Advice:  "Set the clock of this server first, from a time server by its address, since no name resolves; if it is right, the upstream's certificate is not.",
		Command: "date -u; timedatectl",
		Brief:   "by this server's clock the upstream's certificate is not valid yet",
		Full:    "by this server's clock the certificate is not valid yet ({validity}): {upstreams}",
	}
	nearbyCauses = []*Cause{upstreamLinkLocal, clockBehind}
)

// asksLinkLocal holds for an exchange that failed with an upstream of fe80::/10 without
// its interface: the system cannot know which link is meant, and says EINVAL or that
// there is no route.
func asksLinkLocal(e *ev.Evidence) bool {
	kind := kindOf(e)
	if !asksUpstream(e) || kind != ev.NetworkOther && kind != ev.Unroutable {
		return false
	}
	addr, err := netip.ParseAddrPort(upstreamOf(e))
	return err == nil && addr.Addr().Is6() && addr.Addr().IsLinkLocalUnicast() && addr.Addr().Zone() == ""
}

// validity is the time here and the beginning of the certificate, as Go words them.
func validity(e *ev.Evidence) string {
	if _, dates, ok := strings.Cut(e.Failure.Detail, "not yet valid: "); ok {
		return dates
	}
	return e.Failure.Detail
}

func notYetValid(e *ev.Evidence) bool {
	return asksUpstream(e) && e.Failure.Kind == ev.TLS && e.Failure.NotYetValid
}
