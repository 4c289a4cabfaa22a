package cause

import (
	"strings"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// The causes that diagnosis finds on the way to a zone, the nearest first.

const askLater = "Look at the path and not at the zone: "

var pathCauses = []*Cause{
	{
		ID: "path_udp_lost", Code: 23, Lasts: Persistent, Owner: Network, Rank: Found,
		Title:    "UDP to the upstream is lost",
		When:     "The upstream answers over TCP, and several questions over UDP get no reply.",
		Advice:   askLater + "a filter, the checksum offload of an overlay network, or the MTU. Until it is fixed force_tcp in forward helps, since TCP is answered.",
		Corefile: "forward . 192.0.2.53 {\n    force_tcp\n}",
		Brief:    "UDP to the upstream is lost, over TCP it answers",
		Full:     "UDP to {upstream} is lost, over TCP it answers",
	},
	{
		ID: "path_tcp_closed", Code: 23, Lasts: Persistent, Owner: Network, Rank: Found,
		Title:   "TCP to the upstream is closed or lost",
		When:    "Over UDP the upstream answers, truncated where the answer is large, and over TCP nothing comes.",
		Advice:  "Open TCP port 53 to the upstream: what does not fit into UDP comes over TCP only (RFC 7766).",
		Command: "dig @UPSTREAM NAME +tcp",
		Brief:   "TCP to the upstream does not get through, over UDP it answers",
		Full:    "TCP to {upstream} does not get through, over UDP it answers",
	},
	{
		ID: "path_answer_lost", Code: 23, Lasts: Persistent, Owner: Network, Rank: Found,
		Title:   "This answer alone is lost over UDP",
		When:    "The upstream answers other questions over UDP, and this one over TCP only.",
		Advice:  askLater + "a filter drops this answer, or its fragments for its size. Offer a smaller size with bufsize, or use force_tcp.",
		Command: "dig @UPSTREAM NAME +notcp; dig @UPSTREAM NAME +tcp",
		Brief:   "the upstream answers this question over TCP only: its UDP answer is lost on the way",
		Full:    "{upstream} answers this question over TCP only: its UDP answer is lost on the way",
	},
	{
		ID: "path_loses_packets", Code: 23, Lasts: Transient, Owner: Network, Rank: Found,
		Title:   "Packets get lost on the way to the upstream",
		When:    "Asked the same again, the upstream answers some questions and others not.",
		Advice:  askLater + "a limit of the network interface or of the connection table, a filter, or a link that is full.",
		Command: "for i in $(seq 20); do dig @UPSTREAM . NS +tries=1 +time=1 +short; done",
		Brief:   "packets get lost on the way to the upstream",
		Full:    "packets get lost on the way to {upstream}",
	},
}

var suspectCauses = []*Cause{
	{
		ID: "upstream_resolves_nothing", Code: 0, Lasts: Transient, Owner: Upstream, Rank: Found,
		Title:   "The upstream lives and resolves nothing",
		When:    "It fails the root's own records as well, without DNSSEC validation too: it has lost its way out, or its own upstreams.",
		Advice:  "Look at the upstream's way to the Internet and at its own upstreams. No zone's name servers need a look.",
		Command: "dig @UPSTREAM . NS +cd",
		Brief:   "the upstream fails . NS too: it has lost its way out or its own upstreams",
		Full:    "{upstream} fails the root's own records too: it has lost its way out or its own upstreams",
	},
	{
		ID: "upstream_validator", Code: 0, Lasts: Persistent, Owner: Upstream, Rank: Found,
		Title:   "The upstream's own validation is at fault",
		When:    "It rejects the root's own records, which it answers with CD=1: its clock is wrong, or its trust anchor is out of date.",
		Advice:  "Check the upstream's clock first, then its trust anchor. The root's keys hold here, so that no zone is at fault.",
		Command: "dig @UPSTREAM . SOA; dig @UPSTREAM . SOA +cd",
		Brief:   "the upstream rejects . SOA too: its clock is wrong, or its trust anchor",
		Full:    "{upstream} rejects the root's own records: its clock is wrong, or its trust anchor",
	},
	{
		ID: "upstream_rate_limit", Code: 0, Lasts: Transient, Owner: Upstream, Rank: Found,
		Title:   "The upstream refuses after many answers",
		When:    "It refuses all questions of this server now, and has answered many before: a limit on rate or concurrency, unless its access list was changed since.",
		Advice:  "Raise the upstream's limit for this server's address, since all clients come from it; cache more here. If it refuses on and on, look at its access list.",
		Command: "dig @UPSTREAM . NS",
		Brief:   "the upstream answered before and refuses all now: a limit of queries, or a new access list",
		Full:    "{upstream} answered this server before and refuses all now: a limit of queries, or a new access list",
	},
	{
		ID: "upstream_refuses_name", Code: 0, Lasts: Persistent, Owner: Upstream, Rank: Found,
		Title:    "The upstream refuses this name and answers others",
		When:     "A filter on the upstream, or a stub resolver that keeps a kind of names to itself, as systemd-resolved does with names of one label.",
		Advice:   "Forward the name's zone to the servers that have it, or look for a filter on the upstream.",
		Corefile: "forward corp.example 192.0.2.53",
		Brief:    "the upstream refuses this name and answers others",
		Full:     "{upstream} refuses this name and answers others",
	},
	{
		ID: "upstream_local_name", Code: 0, Lasts: Persistent, Owner: Us, Rank: Found,
		Title:    "The upstream does not forward names under local",
		When:     "Names under local belong to multicast DNS (RFC 6762): systemd-resolved and others fail them, and answer other names.",
		Advice:   "Forward this zone to its own servers in this Corefile: an upstream that leaves local to multicast DNS will not ask them.",
		Corefile: "forward corp.local 192.0.2.53",
		Brief:    "the upstream fails the names of multicast DNS (RFC 6762) and answers others",
		Full:     "local is multicast DNS's (RFC 6762): {upstream} fails names under it and answers others",
	},
	{
		ID: "upstream_zone_not_loaded", Code: 0, Lasts: LastsOpen, Owner: Upstream, Rank: Found,
		Title:   "The upstream serves this zone and could not load it",
		When:    "It is an authoritative server: it offers no recursion, refuses other names, and answers SERVFAIL for this one.",
		Advice:  "Read the log of that server for the zone: a mistake in the zone file, a transfer that fails, or a zone that has expired.",
		Command: "dig @UPSTREAM ZONE SOA +norecurse",
		Brief:   "the upstream is authoritative for this zone and could not load it",
		Full:    "{upstream} is authoritative for this zone and could not load it",
	},
	{
		ID: "upstream_hides_nxdomain", Code: 0, Lasts: Persistent, Owner: Upstream, Rank: Found,
		Title:   "The upstream fails names that do not exist",
		When:    "It answers the root's records, and SERVFAIL in place of NXDOMAIN for a name that cannot exist. Embedded resolvers of container engines do so.",
		Advice:  "This name most likely does not exist. Forward to a resolver that says NXDOMAIN, so that search paths work.",
		Command: "dig @UPSTREAM does-not-exist.",
		Brief:   "the upstream fails names that do not exist, as this one most likely, in place of NXDOMAIN",
		Full:    "{upstream} fails names that do not exist in place of NXDOMAIN, as this one most likely is",
	},
	{
		ID: "only_one_type_fails", Code: 0, Lasts: Persistent, Owner: Nobody, Rank: Found,
		Title:   "Only one type of the name fails",
		When:    "Another type of the same name is answered: a local entry with that type alone, or name servers that do not know the type.",
		Advice:  "Let whoever has this name answer the type without records: a local entry on the upstream needs a zone of its own there, a template here does it too.",
		Command: "dig @UPSTREAM NAME A; dig @UPSTREAM NAME AAAA",
		Brief:   "only this type of the name fails, another is answered",
		Full:    "only this type of the name fails, another is answered",
	},
	{
		ID: "upstreams_differ", Code: 0, Lasts: Persistent, Owner: Us, Rank: Found,
		Title:    "The upstreams know different names",
		When:     "One upstream fails the name and another says that it does not exist: they are no replicas of each other.",
		Advice:   "Forward the name's zone to its own server, in a forward of its own: of several upstreams in one forward any may be asked.",
		Corefile: "forward corp.example 192.0.2.53\nforward . 198.51.100.53",
		Brief:    "the upstreams know different names: one fails this name, another says NXDOMAIN",
		Full:     "the upstreams know different names: one fails this name, another says that it does not exist",
	},
	{
		ID: "dnssec_stripped", Code: 0, Lasts: Persistent, Owner: Upstream, Rank: Found,
		Title:   "The upstream validates and gets no signatures",
		When:    "Not even the root's DNSKEY comes with a signature: something behind the upstream strips DNSSEC, or intercepts port 53.",
		Advice:  "Give the upstream a path with DNSSEC, as DNS over TLS to a resolver that does it, or switch its validation off. No zone is at fault.",
		Command: "dig @UPSTREAM . DNSKEY +cd +dnssec",
		Brief:   "the upstream validates and gets no signatures, not even of . DNSKEY: they are stripped",
		Full:    "{upstream} validates and gets no signatures, not even the root's: something strips or intercepts them",
	},
	{
		ID: "upstream_own_zone", Code: 0, Lasts: Persistent, Owner: Upstream, Rank: Found,
		Title:   "The upstream's validation fails a zone of its own",
		When:    "The public tree proves that the name does not exist or is not signed, and the upstream has an answer that it then rejects: a private zone without an exception.",
		Advice:  "Set an exception on the upstream for this zone: domain-insecure (Unbound), validate-except (BIND), or a negative trust anchor.",
		Command: "dig @UPSTREAM NAME +cd",
		Brief:   "the upstream rejects an answer of its own where the public tree has none",
		Full:    "{upstream} has an answer of its own where the public tree has none, and rejects it",
	},
	{
		ID: "answer_replaced", Code: 0, Lasts: Persistent, Owner: Upstream, Rank: Found,
		Title:   "Something replaces the zone's answer",
		When:    "An unsigned 0.0.0.0, :: or private address came, and the zone's own signed records say otherwise: a filter behind the upstream, whose validation rejects it.",
		Advice:  "Unblock the name in the filter, or let the filter stand in front of the validating resolver and not behind it. The zone is in order.",
		Command: "dig @UPSTREAM NAME +cd",
		Brief:   "the answer is not the zone's: a filter replaces it",
		Full:    "the answer is not the zone's: a filter replaces it",
	},
}

func dnssec(id string, code uint16, title, when, advice string) *Cause {
	return &Cause{
		ID: id, Code: code, Lasts: Persistent, Owner: Zone, Rank: Found,
		Title: title, When: when, Advice: strings.TrimSpace(advice),
		Command: "dig NAME +cd +dnssec",
		Brief:   option.Name(code), Full: option.Name(code),
	}
}

// asking returns c with the command that shows it better.
func asking(command string, c *Cause) *Cause {
	c.Command = command
	return c
}

const (
	askKeys = "dig ZONE DS; dig ZONE DNSKEY +cd"

	askOwner = "Tell the zone's owner; another validating resolver fails as well. "
	resign   = "The owner has to sign the zone again."

	askAnother = "Try a different resolver: most answer for this zone. "
)

var (
	dnssecCauses = []*Cause{
		dnssec("dnssec_bogus", 6, "DNSSEC validation fails",
			"A signature does not verify, and nothing more specific is true.", askOwner+resign),
		dnssec("dnssec_signature_expired", 7, "The signatures have expired",
			"The zone was not signed again in time: a signer that stopped, or a secondary that no longer transfers.", askOwner+resign),
		dnssec("dnssec_signature_not_yet_valid", 8, "The signatures are not valid yet",
			"The signer's clock is ahead, or the zone was published before its time.", "Check the clock of this server first. "+askOwner),
		dnssec("dnssec_expired_before_valid", 25, "The signatures expire before they begin",
			"The signer was given the two times in the wrong order.", askOwner+resign),
		asking(askKeys, dnssec("dnssec_dnskey_missing", 9, "The parent's DS matches no key of the zone",
			"A key rollover without a change of the DS, or a zone moved to another operator.", askOwner+"The DS at the parent has to be replaced or removed.")),
		dnssec("dnssec_rrsigs_missing", 10, "Signatures are missing",
			"The zone has a DS at its parent and sends records without signatures.", askOwner+resign),
		asking(askKeys, dnssec("dnssec_no_zone_key", 11, "The key is not marked as a zone key",
			"A DNSKEY lacks the Zone Key bit (RFC 4034 section 2.1.1).", askOwner+"The key has to be published with flags 256 or 257.")),
		dnssec("dnssec_nsec_missing", 12, "The proof that the name does not exist is missing",
			"NSEC or NSEC3 records are missing from the answer, or do not cover the name.", askOwner+resign),
		asking("dig ZONE NSEC3PARAM +cd", dnssec("dnssec_nsec3_iterations", 27, "The zone uses too many NSEC3 iterations",
			"More iterations than validators accept (RFC 9276): most treat such an answer as unsigned, this resolver fails it.", askAnother+"NSEC3 iterations should be 0.")),
		keyless,
		asking(askKeys, dnssec("dnssec_unsupported_algorithm", 1, "The zone is signed with unsupported algorithms only",
			"All keys have an algorithm that no validator supports: most treat such a zone as unsigned, this resolver fails it.", askAnother+resign)),
		asking(askKeys, dnssec("dnssec_unsupported_digest", 2, "The DS has unsupported digest types only",
			"All DS records at the parent have a digest type that no validator supports: most treat such a zone as unsigned, this resolver fails it.", askAnother+"The DS has to be replaced, with digest type 2.")),
		{
			ID: "clock_wrong", Code: 0, Lasts: Persistent, Owner: Us, Rank: Found,
			Title:   "The clock of this server is wrong",
			When:    "The signatures of the root itself do not hold now by this server's clock.",
			Advice:  "Set the clock (NTP) before you look at any zone.",
			Command: "timedatectl",
			Brief:   "DNSSEC cannot be judged: the clock of the resolver is in doubt",
			Full:    "DNSSEC cannot be judged: by this clock the root's own signatures do not hold",
		},
	}
)

var keyless = &Cause{
	ID: "dnssec_dnskey_unavailable", Code: 9, Lasts: LastsOpen, Owner: Zone, Rank: Found,
	Title:   "The zone's DNSKEY cannot be had",
	When:    "Other names of the zone are answered, and the question for its keys is not: a filter in front of the name servers, or an answer too large for the way.",
	Advice:  "Ask the zone's name servers for DNSKEY over UDP and TCP, from another network too; then tell the zone's owner which of them does not answer.",
	Command: "dig @NAMESERVER ZONE DNSKEY +dnssec +norecurse; dig @NAMESERVER ZONE DNSKEY +dnssec +norecurse +tcp",
	Brief:   "the DNSKEY of zone {zone} cannot be had",
	Full:    "the DNSKEY of zone {zone} cannot be had",
}
