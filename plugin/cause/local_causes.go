package cause

// The causes that lie in what this server serves itself: its zones, and its policy.

var (
	zoneNotLoaded = &Cause{
		ID: "zone_not_loaded", Code: 14, Lasts: Transient, Owner: Us, Rank: Specific,
		Title:   "The zone is configured and not loaded yet",
		When:    "A secondary has not yet got the zone from its primary, or a zone file could not be read.",
		Advice:  "Read the error in the text or in the log. A secondary needs a primary that can be reached over TCP and allows the transfer. The file plugin needs a zone file that exists and parses.",
		Command: "dig @PRIMARY ZONE AXFR",
		Brief:   "zone {zone} is not loaded yet{reason}",
		Full:    "zone {zone} of plugin {at} is not loaded yet{overheard}",
	}
	zoneExpired = &Cause{
		ID: "zone_expired", Code: 24, Lasts: Transient, Owner: Us, Rank: Specific,
		Title:   "The secondary zone is past its SOA expire time",
		When:    "The primary could not be reached for longer than the expire value of the zone's SOA.",
		Advice:  "Restore the transfer from the primary; compare the SOA serials of the primary and of this server.",
		Command: "dig @PRIMARY ZONE SOA",
		Brief:   "zone {zone} has expired{reason}",
		Full:    "zone {zone} of plugin {at} has expired: no transfer for longer than the EXPIRE value of its SOA{overheard}",
	}
	zoneLoop = &Cause{
		ID: "zone_loop", Code: 24, Lasts: Persistent, Owner: Zone, Rank: Specific,
		Title:   "A CNAME or DNAME chain in the zone loops",
		When:    "A record points at itself, or a chain of aliases is longer than the eight that CoreDNS follows.",
		Advice:  "Follow the aliases in the zone file, beginning at the name, and break the loop.",
		Command: "dig NAME CNAME",
		Brief:   "an alias chain in zone {zone} loops or is too long",
		Full:    "an alias chain in zone {zone} of plugin {at} loops or is too long, seen at {asked}",
	}
	zoneUnusable = &Cause{
		ID: "zone_unusable", Code: 24, Lasts: LastsOpen, Owner: Us, Rank: Specific,
		Title:   "This server's copy of the zone has no answer for the query",
		When:    "A zone of a cloud provider (route53, azure, clouddns) is not fetched yet, or its data are faulty, for example an alias that loops.",
		Advice:  "Read what the plugin logs about fetching the zone. Check its credentials, and the record in the provider's console.",
		Command: "aws route53 list-resource-record-sets --hosted-zone-id ID",
		Brief:   "this server's copy of the zone has no answer for the query{reason}",
		Full:    "the copy of the zone in plugin {at} has no answer for {asked}: not fetched yet, or faulty{overheard}",
	}
	cnameTargetFailed = &Cause{
		ID: "cname_target_failed", Code: 0, Lasts: Transient, Owner: Upstream, Rank: Specific,
		CodeNote: "those of the target's failure",
		Title:    "The name is an alias, and its target failed",
		When:     "A CNAME leads out of the zone, and the lookup of its target failed. The codes are those of the target's failure.",
		Advice:   "Look at the cause of the target's failure; the zone itself is in order.",
		Command:  "dig @SERVER TARGET",
		Brief:    "the name is an alias and its target cannot be resolved",
		Full:     "the answer of {at} is an alias and its target cannot be resolved",
	}
	notAuthoritative = &Cause{
		ID: "not_authoritative", Code: 20, Lasts: Persistent, Owner: Client, Rank: Specific, Policy: true,
		Title:    "The name is in none of this server's zones",
		When:     "A client asks an authoritative server block for a name outside the zones of the block, and the block has no forward plugin. If the auto plugin has loaded no zone at all, the owner is us.",
		Advice:   "Check whether the client should ask this server at all. If it should, add the zone or the forward plugin.",
		Corefile: `forward . 192.0.2.53`,
		Brief:    "not authoritative for this name",
		Full:     "{at} has no zone for {asked}, and no plugin follows it",
	}
	backendNotReady = &Cause{
		ID: "backend_not_ready", Code: 14, Lasts: Transient, Owner: Us, Rank: Specific,
		Title:   "The data source of this server is not ready",
		When:    "The Kubernetes API has not been synced, the store of dynamic zones cannot be opened, etcd answers with an error (no leader, no permission), or a plugin that CoreDNS does not ship says that it is not synced.",
		Advice:  "Check that the API or the store can be reached and that this server may read it. The ready plugin shows when kubernetes is synced.",
		Command: "kubectl -n kube-system logs -l k8s-app=kube-dns",
		Brief:   "the data source of this server is not ready{reason}",
		Full:    "{at} is not ready{with error}",
	}
	backendUnreachable = &Cause{
		ID: "backend_unreachable", Code: 23, Lasts: Transient, Owner: Us, Rank: Specific,
		Title:   "The data source of this server cannot be reached",
		When:    "etcd, nomad or another store behind a plugin does not answer.",
		Advice:  "Check the endpoint in the Corefile, the store's health, and its certificates.",
		Command: "etcdctl endpoint health",
		Brief:   "the data source of this server cannot be reached{reason}",
		Full:    "{at} cannot reach its data source{with error}",
	}
	backendError = &Cause{
		ID: "backend_error", Code: 24, Lasts: LastsOpen, Owner: Us, Rank: Specific,
		Title:   "The data behind the name are invalid",
		When:    "The source was read, and an entry cannot be turned into an answer, for example a name server record without an address, or text that is no JSON.",
		Advice:  "Read the error in the log line, and fix the entry that it names.",
		Command: "etcdctl get --prefix KEY",
		Brief:   "the data of this server for the name are invalid",
		Full:    "{at} cannot answer from its data{with error}",
	}
	hostsMiss = &Cause{
		ID: "hosts_miss", Code: 0, Lasts: Persistent, Owner: Us, Rank: Specific,
		Title:  "The hosts table does not have the name",
		When:   "Without fallthrough, the hosts plugin answers SERVFAIL, not NXDOMAIN, for every name that is not in its table.",
		Advice: "Write fallthrough in the hosts block. Below the hosts block, add the forward plugin for the other names. If these names should get NXDOMAIN, add the file plugin in place of the forward plugin, with a zone that has only an SOA record.",
		Corefile: `hosts {
    192.0.2.5 printer.example.org
    fallthrough
}
forward . 192.0.2.53`,
		Brief: "the name is not in this server's own table of names",
		Full:  "{at} has no {asked} and no fallthrough",
	}
	zoneCauses = []*Cause{
		zoneNotLoaded, zoneExpired, zoneLoop, zoneUnusable, cnameTargetFailed, notAuthoritative,
		backendNotReady, backendUnreachable, backendError, hostsMiss,
	}
)

var (
	aclBlock = &Cause{
		ID: "acl_block", Code: 15, Lasts: Persistent, Owner: Us, Rank: Specific, Policy: true,
		Title:  "The access list blocks the client",
		When:   "A block line of the acl plugin matches the client's address and the query.",
		Advice: "If the client should be served, add an allow line for the client to acl, above the line that blocks the client (BIND: allow-query and allow-recursion).",
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
		When:    "The tsig plugin requires a signature for this query, and the query has none. A query with an invalid signature gets NOTAUTH instead, with the reason in its TSIG record.",
		Advice:  "Configure the client with the key that the tsig block names.",
		Command: "dig -y hmac-sha256:NAME:SECRET",
		Brief:   "the query has to be signed with TSIG",
		Full:    "{at} requires a TSIG signature",
	}
	transferDenied = &Cause{
		ID: "transfer_denied", Code: 18, Lasts: Persistent, Owner: Us, Rank: Specific, Policy: true,
		CodeNote: "18 Prohibited, or 21 Not Supported where the block has no transfer plugin",
		Title:    "The zone transfer is not allowed",
		When:     "The client asked for AXFR or IXFR. Either the transfer plugin has no line 'to ADDRESS' with the client's address (in BIND: allow-transfer), or the server block has no transfer plugin.",
		Advice:   "If the client is a secondary, add a line 'to ADDRESS' with its address to the transfer plugin. If the server block has no transfer plugin, add it.",
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
		When:    "The client asked for AXFR or IXFR over UDP.",
		Advice:  "Ask over TCP.",
		Command: "dig @SERVER ZONE AXFR +tcp",
		Brief:   "zone transfer over UDP is not supported",
		Full:    "zone transfer over UDP is not supported by {at}",
	}
	updateDenied = &Cause{
		ID: "update_denied", Code: 18, Lasts: Persistent, Owner: Client, Rank: Specific, Policy: true,
		Title:  "The dynamic update is not allowed",
		When:   "The UPDATE is not signed with a key that tsig has checked. Or the key has no permission for a name or type in the UPDATE. Or the UPDATE would exceed the zone's limits.",
		Advice: "Sign the update with a key of the tsig block, and name the key in an allow line of dynupdate. Compare the size of the update with max_update_records, max_records and max_bytes.",
		Corefile: `dynupdate example.org {
    file db.example.org
    allow key.example. * *
}`,
		Brief: "dynamic update not allowed",
		Full:  "dynamic update of {qname} not allowed by {at}: {update}",
	}
	templateRcode = &Cause{
		ID: "template_rcode", Code: 0, Lasts: Persistent, Owner: Us, Rank: Specific, Policy: true,
		CodeNote: "with REFUSED the template's ederror, if it has one; otherwise 0 Other Error",
		Title:    "A template is configured to answer with this rcode",
		When:     "A template of the Corefile has rcode SERVFAIL or REFUSED for this name.",
		Advice:   "If the name should resolve, change the template. CoreDNS sends the ederror of a template if the rcode is REFUSED, and ignores the ederror if the rcode is SERVFAIL.",
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
		When:   "The number of queries under way has reached max_concurrent of the forward plugin. The forward plugin answers REFUSED to further queries. The cache plugin does not keep this answer.",
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
