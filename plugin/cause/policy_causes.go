package cause

var (
	aclBlock = &Cause{
		ID: "acl_block", Code: 15, Lasts: Persistent, Owner: Us, Rank: Specific, Policy: true,
		Title:  "The access list blocks the client",
		When:   "A block line of the acl plugin matches the client's address and the query.",
		Advice: "If the client should be served, change the acl (the counterpart of allow-query and allow-recursion elsewhere).",
		Corefile: `acl {
    allow net 192.0.2.0/24
    block
}`,
		Brief: "blocked by the access list of this server",
		Full:  "blocked by {at}",
	}
	tsigRequired = &Cause{
		ID: "tsig_required", Code: 18, Lasts: Persistent, Owner: Client, Rank: Specific, Policy: true,
		Title:   "The query has to be signed with TSIG",
		When:    "The tsig plugin requires a signature for this query and it has none. One that is not good gets NOTAUTH, with the reason in the TSIG record.",
		Advice:  "Configure the client with the key that the tsig block names.",
		Command: "dig -y hmac-sha256:NAME:SECRET",
		Brief:   "the query has to be signed with TSIG",
		Full:    "{at} requires a TSIG signature",
	}
	transferDenied = &Cause{
		ID: "transfer_denied", Code: 18, Lasts: Persistent, Owner: Us, Rank: Specific, Policy: true,
		CodeNote: "18 Prohibited, or 21 Not Supported where the block has no transfer plugin",
		Title:    "The zone transfer is not allowed",
		When:     "The client asked for AXFR or IXFR and is not in the to line of the transfer plugin (allow-transfer elsewhere), or the block has no transfer plugin.",
		Advice:   "If the client is a secondary, name its address in the to line of transfer, and add transfer if the block has none.",
		Corefile: `transfer {
    to 192.0.2.2
}
file db.example.org example.org`,
		Brief: "zone transfer not allowed for this client",
		Full:  "zone transfer of {qname} not allowed for this client by {at}",
	}
	transferOff = &Cause{
		ID: "transfer_denied", Code: 21, Lasts: Persistent, Owner: Us, Rank: Specific, Policy: true,
		Title: transferDenied.Title, When: transferDenied.When, Advice: transferDenied.Advice, Corefile: transferDenied.Corefile,
		Brief: "zone transfer not enabled",
		Full:  "zone transfer of {qname} not enabled: the block of {at} has no transfer plugin",
	}
	transferUnsupported = &Cause{
		ID: "transfer_unsupported", Code: 21, Lasts: Persistent, Owner: Client, Rank: Specific, Policy: true,
		Title:   "The zone transfer was asked for in a way that is not supported",
		When:    "AXFR or IXFR over UDP.",
		Advice:  "Ask over TCP.",
		Command: "dig @SERVER ZONE AXFR +tcp",
		Brief:   "zone transfer over UDP is not supported",
		Full:    "zone transfer over UDP is not supported by {at}",
	}
	updateDenied = &Cause{
		ID: "update_denied", Code: 18, Lasts: Persistent, Owner: Client, Rank: Specific, Policy: true,
		Title:  "The dynamic update is not allowed",
		When:   "The UPDATE is not signed with a key that tsig has checked, its key has no permission for a name or type in it, or it would exceed the zone's limits.",
		Advice: "Sign it with a key of the tsig block, and name the key in an allow line of dynupdate; compare its size with max_update_records, max_records and max_bytes.",
		Corefile: `dynupdate example.org {
    file db.example.org
    allow key.example. * *
}`,
		Brief: "dynamic update not allowed",
		Full:  "dynamic update of {qname} not allowed by {at}: {update}",
	}
	templateRcode = &Cause{
		ID: "template_rcode", Code: 0, Lasts: Persistent, Owner: Us, Rank: Specific, Policy: true,
		CodeNote: "the template's ederror with REFUSED, else 0 Other Error",
		Title:    "A template answers so on purpose",
		When:     "A template of the Corefile has rcode SERVFAIL or REFUSED for this name. Its ederror is kept where CoreDNS sends it.",
		Advice:   "If the name should resolve, change the template; with rcode SERVFAIL CoreDNS ignores ederror, with REFUSED it sends it.",
		Corefile: `template ANY ANY example.org {
    rcode REFUSED
    ederror 20 "not served here"
}`,
		Brief: "answered with {rcode} by configuration",
		Full:  "answered with {rcode} by configuration of {at}",
	}
	concurrencyLimit = &Cause{
		ID: "concurrency_limit", Code: 0, Lasts: Transient, Owner: Us, Rank: Specific,
		Title:  "This server is overloaded",
		When:   "More queries wait for the upstream than max_concurrent of forward allows; REFUSED, so that nobody caches it.",
		Advice: "Look for a slow upstream first; then raise max_concurrent or add replicas.",
		Corefile: `forward . 192.0.2.53 {
    max_concurrent 1000
}`,
		Brief: "overloaded: too many queries wait for the upstream",
		Full:  "overloaded: max_concurrent of {at} reached ({error})",
	}
	policyCauses = []*Cause{
		aclBlock, tsigRequired, transferDenied, transferUnsupported, updateDenied, templateRcode, concurrencyLimit,
	}
)
