package cause

import (
	"net/netip"
	"strings"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

var (
	upstreamTimeout = &Cause{
		ID: "upstream_timeout", Code: 23, Lasts: Transient, Owner: Upstream, Rank: Specific,
		Title:   "No reply from the upstream in time",
		When:    "The upstream is down or overloaded, or a firewall drops the packets. In rare cases the upstream sends only messages that do not match the question. Or a plugin that CoreDNS does not ship has a deadline of its own, and this deadline has passed.",
		Advice:  "Query another resolver: if it answers, suspect the upstream or the path to it; if it also times out, this does not show what is at fault. Then check that the upstream's address and port can be reached over UDP and TCP.",
		Command: "dig @UPSTREAM example.org +tcp",
		Brief:   "no reply from the upstream within {elapsed}",
		Full:    "no reply within {elapsed}: {upstreams}",
	}
	upstreamUnreachable = &Cause{
		ID: "upstream_unreachable", Code: 23, Lasts: Transient, Owner: Upstream, Rank: Specific,
		Title:   "The upstream cannot be reached",
		When:    "Nothing listens at the upstream's address and port. Or its network is unreachable: then the owner is network. Or the system says \"no route to host\": then the owner is unknown. Or this server has no free port, or no address to ask from: then the owner is us.",
		Advice:  "Check that the upstream runs and that the address and port in the Corefile are right.",
		Command: "dig @UPSTREAM -p PORT example.org",
		Brief:   "the upstream cannot be reached",
		Full:    "{upstreams}",
	}
	upstreamClosed = &Cause{
		ID: "upstream_closed", Code: 23, Lasts: Transient, Owner: Upstream, Rank: Specific,
		Title:   "The upstream closed the connection without an answer",
		When:    "The upstream accepts connections and then closes or resets them, for example because of a limit or a restart, or because it is a load balancer without a server behind it.",
		Advice:  "Look for the connection in the upstream's own log. Check the upstream's limits, and whether the upstream serves this protocol on this port.",
		Command: "kdig @UPSTREAM +tls example.org",
		Brief:   "the upstream closed the connection without an answer",
		Full:    "closed without an answer: {upstreams}",
	}
	upstreamTLS = &Cause{
		ID: "upstream_tls", Code: 23, Lasts: Persistent, Owner: Upstream, Rank: Specific,
		Title:   "The TLS handshake with the upstream failed",
		When:    "The upstream's certificate has expired, is for another name, or comes from an authority that this server does not know. Or the upstream does not speak TLS on that port.",
		Advice:  "Compare tls_servername and the tls line of the forward plugin with the upstream's certificate, and check the certificate's dates.",
		Command: "openssl s_client -connect UPSTREAM:853 -servername NAME",
		Brief:   "TLS to the upstream failed",
		Full:    "TLS failed ({detail}): {upstreams}",
	}
	upstreamMalformed = &Cause{
		ID: "upstream_malformed", Code: 23, Lasts: Persistent, Owner: Upstream, Rank: Specific,
		Title:   "The upstream's reply does not parse",
		When:    "The reply is no DNS message: it comes from a middlebox or a broken server, or is the error page of a DNS over HTTPS server.",
		Advice:  "Ask the upstream directly and look at the reply; over HTTPS check the URL's path and the HTTP status.",
		Command: "kdig @UPSTREAM +https example.org",
		Brief:   "the upstream's reply does not parse",
		Full:    "{upstreams}",
	}
	upstreamNetwork = &Cause{
		ID: "upstream_network", Code: 23, Lasts: LastsOpen, Owner: Network, Rank: Specific,
		Title:   "The exchange with the upstream failed in the network",
		When:    "The operating system or the transport reports an uncommon error, or a reload stopped the transport. If the error is \"operation not permitted\", this machine itself forbids the packets, and the owner is us.",
		Advice:  "Read the error in the log line. If it appears only at a reload, nothing needs to be done.",
		Command: "dig @UPSTREAM example.org",
		Brief:   "the exchange with the upstream failed",
		Full:    "network error ({error}): {upstreams}",
	}
	outOfSockets = &Cause{
		ID: "out_of_sockets", Code: 23, Lasts: Transient, Owner: Us, Rank: Specific,
		Title:   "This server cannot open another socket",
		When:    "The file descriptors of this server are used up. Either too many queries wait for an upstream at the same time, more than the limit on open files allows. Or this server forwards to itself.",
		Advice:  "Look for a slow upstream or a loop first, and limit the waiting queries with max_concurrent of the forward plugin; then raise the limit on open files (LimitNOFILE of systemd, ulimit -n).",
		Command: "cat /proc/$(pidof coredns)/limits; ls /proc/$(pidof coredns)/fd | wc -l",
		Brief:   "this server is out of sockets",
		Full:    "out of file descriptors: {upstreams}",
	}
	noHealthyUpstream = &Cause{
		ID: "no_healthy_upstream", Code: 22, Lasts: Transient, Owner: Upstream, Rank: Specific,
		Title:    "Every upstream is marked down",
		When:     "The health checks of the forward plugin fail for all upstreams, and failfast_all_unhealthy_upstreams is set. Or grpc had no time left to try an upstream. Or a plugin that CoreDNS does not ship reports that all its upstreams are down.",
		Advice:   "Restore an upstream. Then add one on another host and in another network.",
		Corefile: `forward . 192.0.2.53 198.51.100.53`,
		Brief:    "no healthy upstream",
		Full:     "no healthy upstream: {upstreams}",
	}
	exchangeCauses = []*Cause{
		upstreamTimeout, upstreamUnreachable, upstreamClosed, upstreamTLS, upstreamMalformed, upstreamNetwork, outOfSockets, noHealthyUpstream,
	}

	upstreamEDE = &Cause{
		ID: "upstream_ede", Code: 0, Lasts: LastsOpen, Owner: Nobody, Rank: Found,
		CodeNote: "the upstream's own",
		Title:    "The upstream said why",
		When:     "The upstream answered SERVFAIL or REFUSED with Extended DNS Errors of its own. ede passes them on, and says that they are the upstream's. The code of the upstream decides how long the failure lasts and who the owner is.",
		Advice:   "Read the code and the text: they are the upstream's statement, not this server's.",
		Command:  "dig @UPSTREAM NAME",
		Brief:    "the upstream answered {rcode} with a reason of its own",
		Full:     "{upstream} answered {rcode} with a reason of its own",
	}
	upstreamServfail = &Cause{
		ID: "upstream_servfail", Code: 0, Lasts: LastsOpen, Owner: Upstream, Rank: Generic,
		Title:   "The upstream answered SERVFAIL without a reason",
		When:    "The upstream could not resolve the name, and sends no Extended DNS Errors. The reason may be DNSSEC, name servers that it cannot reach, or a fault of its own. If the query had no RD (recursion desired), the text says so, and the owner is unknown.",
		Advice:  "Query a different resolver that validates DNSSEC (for a private name, its own servers): if it answers, suspect the upstream; if it fails too, suspect the zone. Then check DNSSEC signatures, SOA serials and the zone's name servers." + diagnoseHint,
		Command: "dig @UPSTREAM NAME +cd",
		Brief:   "the upstream answered SERVFAIL{without}",
		Full:    "{upstream} answered SERVFAIL{without}{others}",
	}
	upstreamRefused = &Cause{
		ID: "upstream_refused", Code: 0, Lasts: LastsOpen, Owner: Upstream, Rank: Generic,
		Title:   "The upstream refused the query without a reason",
		When:    "The upstream's access list (allow-query, allow-recursion) does not permit this server. Or the upstream filters the name, is authoritative only, limits the rate, or is overloaded. Or the query had no RD (recursion desired): many resolvers refuse such a query. Then the text says so, and the owner is unknown.",
		Advice:  "Check that allow-query and allow-recursion on the upstream permit this server's address, and that the upstream is a resolver at all.",
		Command: "dig @UPSTREAM . NS",
		Brief:   "the upstream refused the query ({ra}): {policies}{cut}",
		Full:    "{upstream} refused the query ({ra}): {policies}{cut}{no EDNS}{others}",
	}
	answerCauses = []*Cause{upstreamEDE, upstreamServfail, upstreamRefused, upstreamRefusedNotRecursive}
)

// The causes for which this server itself is the nearest suspect and that the error of
// one exchange shows.

var (
	upstreamLinkLocal = &Cause{
		ID: "upstream_link_local", Code: 23, Lasts: Persistent, Owner: Us, Rank: Specific,
		Title:    "A link-local upstream is used without its interface",
		When:     "An address in fe80::/10 is valid on one link only (RFC 4007), so it needs an interface. CoreDNS drops the interface, which is the part after %. In a file such as /etc/resolv.conf CoreDNS ignores this part. In the Corefile, the forward plugin reads this part as the name on a TLS certificate.",
		Advice:   "In the forward plugin, write an address of the upstream that is not link-local, because the forward plugin cannot use an interface.",
		Corefile: "forward . 192.0.2.53",
		Brief:    "the upstream's address is valid on one link only, and is used without its interface",
		Full:     "{upstream} is a link-local address and is used without its interface: it can never be reached",
	}
	clockBehind = &Cause{
		ID: "clock_behind", Code: 23, Lasts: Persistent, Owner: Us, Rank: Specific,
		Title:   "By this server's clock the upstream's certificate is not valid yet",
		When:    "The validity of the certificate begins in the future. Nearly always this server's clock is wrong, for example on a board without a battery that has just started. If the validity begins within a day, perhaps the authority that made the certificate has a clock that is ahead. Then the owner is unknown.",
		Advice:  "Set the clock of this server first. Name the time server by its address, because perhaps no name resolves now. If the clock is right, the upstream's certificate is wrong.",
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

// What is found of the name servers of a zone, and by asking others.

var (
	delegationCauses = []*Cause{
		{
			ID: "lame_delegation", Code: 22, Lasts: Persistent, Owner: Zone, Rank: Found,
			Title:   "The zone's name servers give no usable answer",
			When:    "The name servers that the parent lists answer REFUSED or SERVFAIL, answer without authority, or do not answer this question. If a filter between ede and the name servers can be the reason, the owner is unknown.",
			Advice:  "Tell the zone's owner: the delegation at the parent and the servers have to agree.",
			Command: "dig @NAMESERVER ZONE SOA +norec",
			Brief:   "the name servers of zone {zone} give no usable answer",
			Full:    "the name servers of zone {zone} give no usable answer",
		},
		{
			ID: "authority_unreachable", Code: 22, Lasts: Transient, Owner: Zone, Rank: Found,
			Title:   "The zone's name servers cannot be reached",
			When:    "The zone's name servers do not answer, or have no address. If they are all in one network, a filter between ede and the name servers can be the reason, and the owner is unknown.",
			Advice:  "Check whether another network reaches the name servers. Tell the zone's owner.",
			Command: "dig ZONE NS +trace",
			Brief:   "no name server of zone {zone} can be reached",
			Full:    "no name server of zone {zone} can be reached",
		},
		{
			ID: "serial_mismatch", Code: 0, Lasts: Transient, Owner: Zone, Rank: Found,
			Title:   "A name server of the zone lags behind",
			When:    "The failing server has an older SOA serial than the others.",
			Advice:  "Tell the zone's owner: the transfer to that server does not work.",
			Command: "dig @NAMESERVER ZONE SOA",
			Brief:   "a name server of zone {zone} lags behind",
			Full:    "a name server of zone {zone} lags behind",
		},
	}

	upstreamAtFault = &Cause{
		ID: "upstream_at_fault", Code: 0, Lasts: Transient, Owner: Upstream, Rank: Found,
		Title:  "One upstream fails where another answers",
		When:   "ede asked other resolvers the same question, and at least one of them answered. If the upstream validates DNSSEC, the answer of a resolver that does not validate is no evidence against the upstream.",
		Advice: "Look at the upstream that fails. If another upstream of the same forward block answers, write failover SERVFAIL into this block. The forward plugin then asks the next upstream after a SERVFAIL.",
		Corefile: `forward . 192.0.2.53 198.51.100.53 {
    failover SERVFAIL
}`,
		Brief: "the upstream fails, another one answers",
		Full:  "{upstream} fails, another upstream answers",
	}
	zoneAtFault = &Cause{
		ID: "zone_at_fault", Code: 0, Lasts: LastsOpen, Owner: Zone, Rank: Found,
		Title:   "Other resolvers fail as well",
		When:    "The same question fails at other resolvers too: the zone is at fault, not the path from here.",
		Advice:  "Check the zone's DNSSEC signatures, SOA serials and name servers; tell its owner.",
		Command: "ede explain NAME",
		Brief:   "other resolvers fail as well: the zone is at fault",
		Full:    "other resolvers fail as well: the zone is at fault",
	}
	compareCauses = []*Cause{upstreamAtFault, zoneAtFault}

	upstreamRefusedNotRecursive = &Cause{
		ID: "upstream_refused_not_recursive", Code: 20, Lasts: Persistent, Owner: Us, Rank: Found,
		Title:    "The upstream is authoritative only",
		When:     "The upstream answers with authority for its own zone, and refuses questions for the root. So it is not a resolver.",
		Advice:   "Forward to a resolver, or forward to this upstream only the zones that it serves.",
		Corefile: "forward example.org 192.0.2.53",
		Brief:    "the upstream is authoritative only",
		Full:     "{upstream} is authoritative only",
	}
)
