package cause

import (
	"strings"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// The causes that diagnosis finds on the way to a zone, the nearest first.

const notTheZone = "Look at the path and at the upstream's rate limit, and not at the zone. "

// The path alone is the owner only where that is proved: what is lost on the way looks
// like what the upstream drops.
var pathCauses = []*Cause{
	{
		ID: "path_udp_lost", Code: 23, Lasts: LastsOpen, Owner: Nobody, Rank: Found,
		Title:    "The upstream answers over TCP and not over UDP",
		When:     "The upstream answers over TCP, and several questions over UDP get no reply. The path loses them, or the upstream drops them because of a rate limit.",
		Advice:   notTheZone + "On the path, possible reasons are a filter, the checksum offload of an overlay network, and the MTU. If the path is at fault, use force_tcp in the forward plugin until the path is repaired, because the upstream answers over TCP.",
		Corefile: "forward . 192.0.2.53 {\n    force_tcp\n}",
		Brief:    "the upstream answers over TCP and not over UDP",
		Full:     "{upstream} answers over TCP and not over UDP",
	},
	{
		ID: "path_tcp_closed", Code: 23, Lasts: LastsOpen, Owner: Nobody, Rank: Found,
		Title:   "TCP to the upstream is closed or lost",
		When:    "The upstream answers over UDP (truncated if the answer is large), and does not answer over TCP. Either the upstream does not serve TCP, or a filter closes it. If the tries to connect over TCP time out, the owner is network.",
		Advice:  "Make sure that the upstream serves TCP, then open TCP port 53 on the way to it: answers that do not fit into UDP come over TCP only (RFC 7766).",
		Command: "dig @UPSTREAM NAME +tcp",
		Brief:   "the upstream answers over UDP and not over TCP",
		Full:    "{upstream} answers over UDP and not over TCP",
	},
	{
		ID: "path_answer_lost", Code: 23, Lasts: LastsOpen, Owner: Nobody, Rank: Found,
		Title:   "Only this answer does not come over UDP",
		When:    "The upstream answers other questions over UDP, and this one over TCP only. The path loses the answer, or the upstream drops it because of a rate limit that counts identical answers. If ede offers a smaller EDNS size and the answer then comes over UDP, the owner is network.",
		Advice:  notTheZone + "A filter may drop this answer: then use force_tcp in the forward plugin. If the answer is large, a filter may drop its fragments: then use force_tcp, or offer a smaller size with the bufsize plugin. A rate limit for identical answers (rate-limit of BIND) no longer drops the answer if this server asks less often: let the cache plugin keep more answers here.",
		Command: "dig @UPSTREAM NAME +notcp; dig @UPSTREAM NAME +tcp",
		Brief:   "the upstream answers this question over TCP and not over UDP",
		Full:    "{upstream} answers this question over TCP and not over UDP",
	},
	{
		ID: "path_loses_packets", Code: 23, Lasts: Transient, Owner: Nobody, Rank: Found,
		Title:   "Some packets to the upstream get no reply",
		When:    "ede asks the upstream the same question several times, and gets a reply to some of these tries only. The path loses packets, or the upstream drops some, because of its load or a rate limit.",
		Advice:  "Look at the path and at the upstream's load and rate limit, and not at the zone. On the path, possible reasons are a limit of the network interface or of the connection table, a filter, and a link that is full.",
		Command: "for i in $(seq 20); do dig @UPSTREAM . NS +tries=1 +time=1 +short; done",
		Brief:   "packets get lost on the way to the upstream, or the upstream drops some",
		Full:    "packets get lost on the way to {upstream}, or it drops some",
	},
}

var suspectCauses = []*Cause{
	{
		ID: "upstream_resolves_nothing", Code: 0, Lasts: Transient, Owner: Upstream, Rank: Found,
		Title:   "The upstream replies but resolves nothing",
		When:    "The upstream answers SERVFAIL even for the root's own records and without DNSSEC validation: it probably cannot reach the Internet, or its own upstreams.",
		Advice:  "Look at the upstream's connection to the Internet and at its own upstreams, before any zone.",
		Command: "dig @UPSTREAM . NS +cd",
		Brief:   "the upstream answers SERVFAIL even for . DNSKEY: it probably cannot reach the Internet",
		Full:    "{upstream} answers SERVFAIL even for the root: it probably cannot reach the Internet, or its own upstreams",
	},
	{
		ID: "upstream_validator", Code: 0, Lasts: Persistent, Owner: Upstream, Rank: Found,
		Title:   "The upstream's own validation is at fault",
		When:    "The upstream reaches the Internet. It answers SERVFAIL for the root's own records, and gives them with CD=1 (validation switched off). So its clock is wrong, or its trust anchor is out of date.",
		Advice:  "Check the upstream's clock first, then its trust anchor. The root's keys validate on this server, so no zone is at fault.",
		Command: "dig @UPSTREAM . SOA; dig @UPSTREAM . SOA +cd",
		Brief:   "the upstream rejects . SOA too: its clock or its trust anchor is wrong",
		Full:    "{upstream} rejects the root's own records: its clock or its trust anchor is wrong",
	},
	{
		ID: "upstream_rate_limit", Code: 0, Lasts: LastsOpen, Owner: Upstream, Rank: Found,
		Title:   "The upstream refuses after many answers",
		When:    "The upstream recurses and answered many queries of this server before. Now it refuses this question and questions for the root. The reason is a limit on the rate or on concurrent queries, or an access list that was changed in the meantime. Or the upstream forwards some names only, and all that it answered was under these.",
		Advice:  "Raise the upstream's limit for this server, because this server sends the queries of all its clients. Or let the cache plugin keep more answers here. If the upstream keeps refusing, look at its access list, and at which names it forwards.",
		Command: "dig @UPSTREAM . NS",
		Brief:   "the upstream answered before, now it refuses: a rate limit, access list, or it has other zones",
		Full:    "{upstream} answered this server before and now refuses each of several questions: a rate limit, a changed access list, or it forwards only other names",
	},
	{
		ID: "upstream_refuses_name", Code: 0, Lasts: Persistent, Owner: Upstream, Rank: Found,
		Title:    "The upstream refuses this name and answers others",
		When:     "A filter on the upstream blocks the name, or the upstream is a stub resolver that does not forward some names, for example systemd-resolved with names of one label.",
		Advice:   "Forward the name's zone to the servers that have it, or look for a filter on the upstream.",
		Corefile: "forward corp.example 192.0.2.53",
		Brief:    "the upstream refuses this name and answers others",
		Full:     "{upstream} refuses this name and answers others",
	},
	{
		ID: "upstream_local_name", Code: 0, Lasts: Persistent, Owner: Us, Rank: Found,
		Title:    "The upstream does not forward names that end in .local",
		When:     "Names that end in .local belong to multicast DNS (RFC 6762). Resolvers such as systemd-resolved do not resolve these names, but resolve all other names.",
		Advice:   "Forward this zone to its own servers in this Corefile. The upstream does not ask these servers, because it leaves names that end in .local to multicast DNS.",
		Corefile: "forward corp.local 192.0.2.53",
		Brief:    "the upstream leaves this name to multicast DNS (RFC 6762), and answers others",
		Full:     "{upstream} leaves names that end in .local to multicast DNS (RFC 6762), and answers others",
	},
	{
		ID: "upstream_zone_not_loaded", Code: 0, Lasts: LastsOpen, Owner: Upstream, Rank: Found,
		Title:   "The upstream is set up for this zone, and has no answer for it",
		When:    "The upstream is no general resolver: it offers no recursion, refuses other names, and answers SERVFAIL for this one. Either it is authoritative and could not load the zone, or it forwards the zone to a server that fails.",
		Advice:  "Look for the zone in the upstream's log. There may be a mistake in the zone file, the transfer may fail, or the zone may have expired. If the upstream forwards the zone to another server, check whether this server answers.",
		Command: "dig @UPSTREAM ZONE SOA +norecurse",
		Brief:   "the upstream refuses other names, and cannot get the data of this zone",
		Full:    "{upstream} refuses other names, and cannot get the data of this zone",
	},
	{
		ID: "upstream_hides_nxdomain", Code: 0, Lasts: Persistent, Owner: Upstream, Rank: Found,
		Title:   "The upstream answers SERVFAIL for names that do not exist",
		When:    "The upstream reaches the Internet, but answers SERVFAIL in place of NXDOMAIN for a name that cannot exist. Embedded resolvers of container engines do this.",
		Advice:  "This name most likely does not exist. Forward to a resolver that answers NXDOMAIN, so that search paths work.",
		Command: "dig @UPSTREAM does-not-exist.",
		Brief:   "the upstream answers SERVFAIL in place of NXDOMAIN; most likely this name does not exist",
		Full:    "{upstream} answers SERVFAIL in place of NXDOMAIN; most likely this name does not exist",
	},
	{
		ID: "only_one_type_fails", Code: 0, Lasts: Persistent, Owner: Nobody, Rank: Found,
		Title:   "Only one type of the name fails",
		When:    "Another type of the same name is answered. The name is a local entry that has only that other type, or the zone's name servers do not know the type that fails. For a private name the owner is upstream.",
		Advice:  "The server of this name should answer the failing type with NOERROR and no records. If the name is a local entry on the upstream, make a zone for the name on the upstream, or write a template on this server.",
		Command: "dig @UPSTREAM NAME A; dig @UPSTREAM NAME AAAA",
		Brief:   "only this type of the name fails; another type is answered",
		Full:    "only this type of the name fails; another type is answered",
	},
	{
		ID: "upstreams_differ", Code: 0, Lasts: LastsOpen, Owner: Nobody, Rank: Found,
		Title:    "One upstream fails for the name, another says that it does not exist",
		When:     "One upstream fails for the name, and another says that the name does not exist. If the top-level domain of the name does not exist, they know different names, and the owner is us. Otherwise the failing upstream may also be unable to resolve the zone of a name that does not exist.",
		Advice:   "Find out whether the name exists. If it exists on the failing upstream alone, write a separate forward for its zone, to this upstream. If it does not exist, look at the failing upstream's way to the servers of the zone.",
		Corefile: "forward corp.example 192.0.2.53\nforward . 198.51.100.53",
		Brief:    "one upstream fails for this name, another says NXDOMAIN",
		Full:     "one upstream fails for this name, another says that it does not exist",
	},
	{
		ID: "dnssec_stripped", Code: 0, Lasts: Persistent, Owner: Upstream, Rank: Found,
		Title:   "The upstream validates, but gets no signatures",
		When:    "Not even the root's DNSKEY comes with a signature: something behind the upstream strips DNSSEC, or intercepts port 53.",
		Advice:  "Give the upstream a path that passes DNSSEC records, for example DNS over TLS to a resolver that supports DNSSEC. Or switch validation off on the upstream. No zone is at fault.",
		Command: "dig @UPSTREAM . DNSKEY +cd +dnssec",
		Brief:   "the upstream validates, but gets no signatures, not even of . DNSKEY: they are stripped",
		Full:    "{upstream} validates, but gets no signatures, not even the root's: something strips or intercepts them",
	},
	{
		ID: "upstream_own_zone", Code: 0, Lasts: Persistent, Owner: Upstream, Rank: Found,
		Title:   "The upstream rejects its own private zone",
		When:    "The name is for private use, or the public DNS proves that it does not exist. But the upstream has an answer, and its own validation rejects this answer. So the upstream has a private zone, but no exception from validation for this zone.",
		Advice:  "Set an exception on the upstream for this zone: domain-insecure (Unbound), validate-except (BIND), or a negative trust anchor.",
		Command: "dig @UPSTREAM NAME +cd",
		Brief:   "the upstream validates and rejects its own answer, which the public DNS does not have",
		Full:    "{upstream} validates and rejects its own answer, which the public DNS does not have",
	},
	{
		ID: "answer_replaced", Code: 0, Lasts: Persistent, Owner: Upstream, Rank: Found,
		Title:   "Something replaces the zone's answer",
		When:    "The upstream got an unsigned 0.0.0.0, :: or private address, and the zone's signed records say something else. A filter behind the upstream replaced the answer, and the upstream's validation rejects it.",
		Advice:  "Unblock the name in the filter, or put the filter between the clients and the validating resolver, not between this resolver and the Internet. The zone is in order.",
		Command: "dig @UPSTREAM NAME +cd",
		Brief:   "a filter replaces the zone's answer",
		Full:    "a filter replaces the zone's answer",
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

	askOwner = "Tell the zone's owner. Another resolver does not help if it validates. "
	resign   = "The owner has to sign the zone again."

	unsigned = " If no part of the answer is signed, the upstream may have its own data for the zone. Then the owner is unknown. But if ede asks the zone's own name servers (with the property delegation of diagnose) and they send no signatures either, the owner is zone."

	askAnother = "Try a different resolver: most treat this zone as unsigned and answer. "
)

var (
	dnssecCauses = []*Cause{
		dnssec("dnssec_bogus", 6, "DNSSEC validation fails",
			"A signature does not verify, and no more specific reason was found.", askOwner+resign),
		dnssec("dnssec_signature_expired", 7, "The signatures have expired",
			"The zone was not signed again in time, for example because a signer stopped, or because a secondary no longer transfers the zone.", askOwner+resign),
		dnssec("dnssec_signature_not_yet_valid", 8, "The signatures are not valid yet",
			"The signer's clock is ahead, or the zone was published before its time.", "Check the clock of this server first: it may be wrong by hours or days. ede knows only that it is not wrong by weeks. If the clock is right, tell the zone's owner."),
		dnssec("dnssec_expired_before_valid", 25, "The signatures expire before they begin",
			"The signer was given the two times in the wrong order.", askOwner+resign),
		asking(askKeys, dnssec("dnssec_dnskey_missing", 9, "The parent's DS matches no key of the zone",
			"The zone's key was changed, and its DS at the parent was not changed. Or the zone was moved to another operator."+unsigned, askOwner+"The DS at the parent has to be replaced or removed.")),
		dnssec("dnssec_rrsigs_missing", 10, "Signatures are missing",
			"The zone has a DS at its parent and sends records without signatures."+unsigned, askOwner+resign),
		asking(askKeys, dnssec("dnssec_no_zone_key", 11, "The key is not marked as a zone key",
			"A DNSKEY lacks the Zone Key bit (RFC 4034 section 2.1.1).", askOwner+"The key has to be published with flags 256 or 257.")),
		dnssec("dnssec_nsec_missing", 12, "The proof that the name does not exist is missing",
			"NSEC or NSEC3 records are missing from the answer, or do not cover the name."+unsigned, askOwner+resign),
		asking("dig ZONE NSEC3PARAM +cd", dnssec("dnssec_nsec3_iterations", 27, "The zone uses too many NSEC3 iterations",
			"The zone has more iterations than validators accept (RFC 9276). Most resolvers treat its answers as unsigned; the upstream answers SERVFAIL.", askAnother+"NSEC3 iterations should be 0.")),
		keyless,
		asking(askKeys, dnssec("dnssec_unsupported_algorithm", 1, "The zone is signed with unsupported algorithms only",
			"All keys have an algorithm that no validator supports. Most resolvers treat such a zone as unsigned; the upstream answers SERVFAIL.", askAnother+resign)),
		asking(askKeys, dnssec("dnssec_unsupported_digest", 2, "The DS has unsupported digest types only",
			"All DS records at the parent have a digest type that no validator supports. Most resolvers treat such a zone as unsigned; the upstream answers SERVFAIL.", askAnother+"The DS has to be replaced, with digest type 2.")),
		{
			ID: "clock_wrong", Code: 0, Lasts: Persistent, Owner: Us, Rank: Found,
			Title:   "The clock of this server is wrong",
			When:    "By this server's clock, the signatures of the root (or of a trust anchor's zone) and the signatures of a top-level domain are not valid. Or the certificates of all upstreams are not valid by this clock.",
			Advice:  "Set the clock (NTP) before you look at any zone.",
			Command: "timedatectl",
			Brief:   "DNSSEC cannot be validated: the clock of this server is in doubt",
			Full:    "DNSSEC cannot be validated: by this server's clock the root's own signatures are not valid",
		},
	}
)

var keyless = &Cause{
	ID: "dnssec_dnskey_unavailable", Code: 9, Lasts: LastsOpen, Owner: Zone, Rank: Found,
	Title:   "The zone's DNSKEY cannot be fetched",
	When:    "Other names of the zone resolve, but the query for its DNSKEY fails. Possible reasons are a filter in front of the name servers, and an answer that is too large for the path.",
	Advice:  "Ask the zone's name servers for DNSKEY over UDP and TCP, from another network too; then tell the zone's owner which name server does not answer.",
	Command: "dig @NAMESERVER ZONE DNSKEY +dnssec +norecurse; dig @NAMESERVER ZONE DNSKEY +dnssec +norecurse +tcp",
	Brief:   "the DNSKEY of zone {zone} cannot be fetched",
	Full:    "the DNSKEY of zone {zone} cannot be fetched",
}
