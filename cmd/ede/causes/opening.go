package causes

// What stands before the causes, in the terminal and in the document.

// side is a question about the two rcodes and the answer for each.
type side struct{ Question, Servfail, Refused string }

var sides = []side{
	{"What it means", "the server tried to answer, and failed", "the server could answer, and chose not to"},
	{"Who decides", "circumstances: a network, a broken zone, DNSSEC, a fault", "somebody's policy or configuration"},
	{"Does it pass?", "often by itself; another resolver may do better", "not for the same client, until somebody changes the policy; only a limit on queries ends by itself"},
	{"May it be cached?", "yes, for up to five minutes (RFC 9520)", "CoreDNS does not cache it"},
	{"Who acts?", "the operator of the server, of its upstream, or of the zone: see the owner of the cause", "the operator of the server that refuses, or the client that asks the wrong server"},
}

// step is something to try, and how.
type step struct{ Try, Command string }

var (
	servfailSteps = []step{
		{"Query a different resolver. If the different resolver answers, suspect the resolver that failed, or the path to that resolver; if both fail, suspect the zone.", "dig @192.0.2.53 NAME"},
		{"Check DNSSEC: if the name resolves only with +cd (validation switched off), the server's validation rejects the answer. The zone may be at fault, or the server's clock or trust anchor; delv validates again and says why.", "dig +cd NAME; delv NAME"},
		{"Compare the SOA serials of the zone's name servers. A server with an older serial no longer gets transfers.", "dig +nssearch ZONE"},
		{"Ask the zone's name servers one by one whether they can be reached and serve the zone.", "dig @NAMESERVER NAME +norecurse"},
	}
	refusedSteps = []step{
		{"Check whether the client should ask this server at all: an authoritative server refuses all names but its own.", "dig @SERVER . NS"},
		{"Check allow-query and allow-recursion, or their counterparts below, for the client's address.", "dig @SERVER NAME"},
		{"If a zone transfer is refused, check allow-transfer.", "dig @SERVER ZONE AXFR"},
	}
)

// counterpart is an option of BIND and what does its work in CoreDNS.
type counterpart struct{ Elsewhere, Here string }

var counterparts = []counterpart{
	{"allow-query", "the acl plugin, for example `allow net 192.0.2.0/24` followed by `block`. The zones of the server block and the bind plugin also limit what the block answers"},
	{"allow-recursion", "the forward plugin, which lets a resolver do the recursion. To deny recursion, use the acl plugin, or serve these clients from a block without the forward plugin"},
	{"allow-transfer", "the transfer plugin, for example with the line `to 192.0.2.2`. Without the transfer plugin nobody gets the zone"},
	{"allow-update", "the `allow` line of the dynupdate plugin, with the keys of the tsig plugin"},
}
