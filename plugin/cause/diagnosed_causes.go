package cause

import (
	"strings"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// The causes that only diagnosis can find. Their texts come from the finding.

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
			"More iterations than validators accept (RFC 9276): most take such an answer for unsigned, this resolver fails it.", askAnother+"NSEC3 iterations should be 0.")),
		keyless,
		asking(askKeys, dnssec("dnssec_unsupported_algorithm", 1, "The zone is signed with unsupported algorithms only",
			"All keys have an algorithm that no validator supports: most take such a zone for unsigned, this resolver fails it.", askAnother+resign)),
		asking(askKeys, dnssec("dnssec_unsupported_digest", 2, "The DS has unsupported digest types only",
			"All DS records at the parent have a digest type that no validator supports: most take such a zone for unsigned, this resolver fails it.", askAnother+"The DS has to be replaced, with digest type 2.")),
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

	delegationCauses = []*Cause{
		{
			ID: "lame_delegation", Code: 22, Lasts: Persistent, Owner: Zone, Rank: Found,
			Title:   "The zone's name servers do not serve it",
			When:    "The servers that the parent names answer REFUSED, SERVFAIL or without authority.",
			Advice:  "Tell the zone's owner: the delegation at the parent and the servers have to agree.",
			Command: "dig @NAMESERVER ZONE SOA +norec",
			Brief:   "the name servers of zone {zone} do not serve it",
			Full:    "the name servers of zone {zone} do not serve it",
		},
		{
			ID: "authority_unreachable", Code: 22, Lasts: Transient, Owner: Zone, Rank: Found,
			Title:   "The zone's name servers cannot be reached",
			When:    "They do not answer, or have no address, or only addresses that are not routed.",
			Advice:  "Tell the zone's owner; check whether another network reaches them.",
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
		When:   "The same question, asked of each configured upstream: some fail, some answer.",
		Advice: "Write failover SERVFAIL in forward, so that the next upstream is asked; then look at the one that fails.",
		Corefile: `forward . 192.0.2.53 198.51.100.53 {
    failover SERVFAIL REFUSED
}`,
		Brief: "the upstream fails, another one answers",
		Full:  "{upstream} fails, another upstream answers",
	}
	zoneAtFault = &Cause{
		ID: "zone_at_fault", Code: 0, Lasts: LastsOpen, Owner: Zone, Rank: Found,
		Title:   "Other resolvers fail as well",
		When:    "The same question, asked of other resolvers, fails there too: the zone is at fault, not this path.",
		Advice:  "Check the zone's DNSSEC signatures, SOA serials and name servers; tell its owner.",
		Command: "ede explain NAME",
		Brief:   "other resolvers fail as well: the zone is at fault",
		Full:    "other resolvers fail as well: the zone is at fault",
	}
	compareCauses = []*Cause{upstreamAtFault, zoneAtFault}

	upstreamRefusedNotRecursive = &Cause{
		ID: "upstream_refused_not_recursive", Code: 20, Lasts: Persistent, Owner: Us, Rank: Found,
		Title:    "The upstream is authoritative only",
		When:     "It answers with authority for its own zone and refuses a control question: it is no resolver.",
		Advice:   "Forward to a resolver, or forward only the zones that this server serves.",
		Corefile: "forward example.org 192.0.2.53",
		Brief:    "the upstream is authoritative only",
		Full:     "{upstream} is authoritative only",
	}
)
