package cause

// Groups is the catalog. A cause is added by one entry here, one rule in
// rules.go, and one golden.
var Groups = []Group{
	{"Upstream: nothing usable came back", exchangeCauses},
	{"Upstream: it answered with the failure", answerCauses},
	{"This server: zones and backends", zoneCauses},
	{"This server: policy", policyCauses},
	{"This server: configuration and faults", faultCauses},
	{"DNSSEC, found by diagnosis", dnssecCauses},
	{"Delegation, found by diagnosis", delegationCauses},
	{"Resolver or zone, found by asking others", compareCauses},
}

// The causes that rules name.
var (
	upstreamTimeout = &Cause{
		ID: "upstream_timeout", Code: 23, Lasts: Transient, Owner: Upstream, Rank: Specific,
		Title:   "No reply from the upstream within the time",
		When:    "The upstream is down, overloaded, or a firewall drops the packets; also when it sends only what is no reply to the question.",
		Advice:  "Try another resolver to tell the upstream from the path to it; check that its address and port can be reached over UDP and TCP.",
		Command: "dig @UPSTREAM example.org +tcp",
		Brief:   "no reply from the upstream within {elapsed}",
		Full:    "no reply within {elapsed}: {upstreams}",
	}
	upstreamUnreachable = &Cause{
		ID: "upstream_unreachable", Code: 23, Lasts: Transient, Owner: Upstream, Rank: Specific,
		Title:   "The upstream cannot be reached",
		When:    "Nothing listens at the upstream's address and port, or there is no route to it.",
		Advice:  "Check that the upstream runs and that the address and port in the Corefile are right.",
		Command: "dig @UPSTREAM -p PORT example.org",
		Brief:   "the upstream cannot be reached",
		Full:    "{upstreams}",
	}
	upstreamClosed = &Cause{
		ID: "upstream_closed", Code: 23, Lasts: Transient, Owner: Upstream, Rank: Specific,
		Title:   "The upstream closed the connection without an answer",
		When:    "The upstream accepts connections and closes or resets them: a limit, a restart, a load balancer without a server behind it.",
		Advice:  "Look at the upstream's own log for the connection; check its limits and whether it serves this protocol on this port.",
		Command: "kdig @UPSTREAM +tls example.org",
		Brief:   "the upstream closed the connection without an answer",
		Full:    "closed without an answer: {upstreams}",
	}
	upstreamTLS = &Cause{
		ID: "upstream_tls", Code: 23, Lasts: Persistent, Owner: Upstream, Rank: Specific,
		Title:   "The TLS handshake with the upstream failed",
		When:    "Its certificate is expired, is for another name, or comes from an authority that this server does not know; or it does not speak TLS on that port.",
		Advice:  "Compare tls_servername and the tls line of forward with the upstream's certificate, and check the certificate's dates.",
		Command: "openssl s_client -connect UPSTREAM:853 -servername NAME",
		Brief:   "TLS to the upstream failed",
		Full:    "TLS failed ({detail}): {upstreams}",
	}
	upstreamMalformed = &Cause{
		ID: "upstream_malformed", Code: 23, Lasts: Persistent, Owner: Upstream, Rank: Specific,
		Title:   "The upstream's reply does not parse",
		When:    "What came back is no DNS message: a middlebox, a broken server, or the error page of a DNS over HTTPS server.",
		Advice:  "Ask the upstream directly and look at the reply; over HTTPS check the URL's path and the HTTP status.",
		Command: "kdig @UPSTREAM +https example.org",
		Brief:   "the upstream's reply does not parse",
		Full:    "reply does not parse: {upstreams}",
	}
	upstreamNetwork = &Cause{
		ID: "upstream_network", Code: 23, Lasts: LastsOpen, Owner: Network, Rank: Specific,
		Title:   "The exchange with the upstream failed in the network",
		When:    "The operating system or the transport reports an error that is none of the common ones, or the transport was stopped by a reload.",
		Advice:  "Read the error in the log line; if it comes with a reload only, nothing needs to be done.",
		Command: "dig @UPSTREAM example.org",
		Brief:   "the exchange with the upstream failed",
		Full:    "exchange failed ({error}): {upstreams}",
	}
	noHealthyUpstream = &Cause{
		ID: "no_healthy_upstream", Code: 22, Lasts: Transient, Owner: Upstream, Rank: Specific,
		Title:    "Every upstream is marked down",
		When:     "forward's health checks fail for all upstreams and failfast_all_unhealthy_upstreams is set, or grpc had no time left to try one.",
		Advice:   "Bring an upstream back; add one that does not share its fate.",
		Corefile: `forward . 192.0.2.53 198.51.100.53`,
		Brief:    "no healthy upstream",
		Full:     "no healthy upstream: {upstreams}",
	}
	exchangeCauses = []*Cause{
		upstreamTimeout, upstreamUnreachable, upstreamClosed, upstreamTLS, upstreamMalformed, upstreamNetwork, noHealthyUpstream,
	}

	upstreamEDE = &Cause{
		ID: "upstream_ede", Code: 0, Lasts: LastsOpen, Owner: Upstream, Rank: Found,
		CodeNote: "the upstream's own",
		Title:    "The upstream said why",
		When:     "The upstream answered SERVFAIL or REFUSED with Extended DNS Errors of its own; they are passed on with their source.",
		Advice:   "Read the code and the text: they are the upstream's statement, not this server's.",
		Command:  "dig @UPSTREAM NAME",
		Brief:    "the upstream answered {rcode} with a reason of its own",
		Full:     "{upstream} answered {rcode} with a reason of its own",
	}
	upstreamServfail = &Cause{
		ID: "upstream_servfail", Code: 0, Lasts: LastsOpen, Owner: Upstream, Rank: Generic,
		Title:   "The upstream answered SERVFAIL without a reason",
		When:    "The upstream tried and failed and does not send Extended DNS Errors: DNSSEC validation, unreachable name servers, or its own trouble.",
		Advice:  "Try a different resolver to tell the resolver from the zone; then check DNSSEC signatures, SOA serials and the zone's name servers. With diagnose, ede looks for the reason itself.",
		Command: "dig @UPSTREAM NAME +cd",
		Brief:   "the upstream answered SERVFAIL without a reason",
		Full:    "{upstream} answered SERVFAIL without a reason{no EDNS}",
	}
	upstreamRefused = &Cause{
		ID: "upstream_refused", Code: 0, Lasts: LastsOpen, Owner: Upstream, Rank: Generic,
		Title:   "The upstream refused the query without a reason",
		When:    "Its access list (allow-query, allow-recursion) leaves this server out, it is authoritative only, or it limits the rate or is overloaded.",
		Advice:  "Check allow-query and allow-recursion on the upstream for this server's address, and whether it is a resolver at all.",
		Command: "dig @UPSTREAM . NS",
		Brief:   "the upstream refused the query ({ra}): access list, authoritative only, or overloaded",
		Full:    "{upstream} refused the query ({ra}): access list, authoritative only, or overloaded{no EDNS}",
	}
	answerCauses = []*Cause{upstreamEDE, upstreamServfail, upstreamRefused, upstreamRefusedNotRecursive}

	zoneNotLoaded = &Cause{
		ID: "zone_not_loaded", Code: 14, Lasts: Transient, Owner: Us, Rank: Specific,
		Title:   "The zone is configured and not loaded yet",
		When:    "A secondary has never had a transfer from its primary, or a zone file could not be read.",
		Advice:  "Check that the primary can be reached and allows the transfer, or that the zone file exists and parses; the log at start tells.",
		Command: "dig @PRIMARY ZONE AXFR",
		Brief:   "zone {zone} is not loaded yet",
		Full:    "zone {zone} of {at} is not loaded yet",
	}
	zoneExpired = &Cause{
		ID: "zone_expired", Code: 24, Lasts: Transient, Owner: Us, Rank: Specific,
		Title:   "The secondary zone is past its SOA expire time",
		When:    "The primary could not be reached for longer than the expire value of the zone's SOA.",
		Advice:  "Restore the transfer from the primary; compare the SOA serials of both.",
		Command: "dig @PRIMARY ZONE SOA",
		Brief:   "zone {zone} has expired",
		Full:    "zone {zone} of {at} has expired: no transfer for longer than the expire of its SOA",
	}
	zoneLoop = &Cause{
		ID: "zone_loop", Code: 24, Lasts: Persistent, Owner: Zone, Rank: Specific,
		Title:   "A CNAME or DNAME chain in the zone loops",
		When:    "A record points at itself, or a chain of aliases is longer than the eight that CoreDNS follows.",
		Advice:  "Follow the aliases in the zone file from the name and break the loop.",
		Command: "dig NAME CNAME",
		Brief:   "an alias chain in zone {zone} loops or is too long",
		Full:    "an alias chain in zone {zone} of {at} loops or is too long, seen at {asked}",
	}
	zoneUnusable = &Cause{
		ID: "zone_unusable", Code: 24, Lasts: LastsOpen, Owner: Us, Rank: Specific,
		Title:   "The zone's data do not answer the query",
		When:    "A zone of a cloud provider (route53, azure, clouddns) is not fetched yet, or its data are faulty, as an alias that loops.",
		Advice:  "Check the plugin's log lines on fetching the zone, its credentials, and the record in the provider's console.",
		Command: "aws route53 list-resource-record-sets --hosted-zone-id ID",
		Brief:   "the zone's data do not answer the query",
		Full:    "the zone as {at} has it does not answer {asked}: not fetched yet, or faulty",
	}
	cnameTargetFailed = &Cause{
		ID: "cname_target_failed", Code: 0, Lasts: Transient, Owner: Upstream, Rank: Specific,
		CodeNote: "those of the target's failure",
		Title:    "The name is an alias, and its target failed",
		When:     "A CNAME leads out of the zone and the lookup of its target failed; the codes are those of the target's failure.",
		Advice:   "Look at the cause of the target's failure; the zone itself is in order.",
		Command:  "dig @SERVER TARGET",
		Brief:    "the name is an alias and its target cannot be resolved",
		Full:     "the answer of {at} is an alias and its target cannot be resolved",
	}
	notAuthoritative = &Cause{
		ID: "not_authoritative", Code: 20, Lasts: Persistent, Owner: Client, Rank: Specific, Policy: true,
		Title:    "The name is in none of this server's zones",
		When:     "An authoritative server block is asked for a name that it does not serve and has no forward behind it.",
		Advice:   "Check whether this is the right resolver for the client at all; if it should answer, add the zone or a forward.",
		Corefile: `forward . 192.0.2.53`,
		Brief:    "not authoritative for this name",
		Full:     "{at} serves none of the zones of {asked} and nothing follows it",
	}
	backendNotReady = &Cause{
		ID: "backend_not_ready", Code: 14, Lasts: Transient, Owner: Us, Rank: Specific,
		Title:   "The data source of this server is not ready",
		When:    "The Kubernetes API has not been synced, the store of dynamic zones cannot be opened, or etcd answers with an error, as without a leader or permission.",
		Advice:  "Check that the API or the store can be reached and that this server may read it; the readiness check tells when it is done.",
		Command: "kubectl -n kube-system logs -l k8s-app=kube-dns",
		Brief:   "the data source of this server is not ready",
		Full:    "{at} is not ready{with error}",
	}
	backendUnreachable = &Cause{
		ID: "backend_unreachable", Code: 23, Lasts: Transient, Owner: Us, Rank: Specific,
		Title:   "The data source of this server cannot be reached",
		When:    "etcd, nomad or another store behind a plugin does not answer.",
		Advice:  "Check the endpoint in the Corefile, the store's health, and its certificates.",
		Command: "etcdctl endpoint health",
		Brief:   "the data source of this server cannot be reached",
		Full:    "{at} cannot reach its data source{with error}",
	}
	backendError = &Cause{
		ID: "backend_error", Code: 24, Lasts: LastsOpen, Owner: Us, Rank: Specific,
		Title:   "The data behind the name are invalid",
		When:    "The source was read, and what it holds cannot be turned into an answer, as a name server record that is no address, or text that is no JSON.",
		Advice:  "Read the error in the log line and mend the entry it names.",
		Command: "etcdctl get --prefix KEY",
		Brief:   "the data of this server for the name are invalid",
		Full:    "{at} cannot answer from its data{with error}",
	}
	hostsMiss = &Cause{
		ID: "hosts_miss", Code: 0, Lasts: Persistent, Owner: Us, Rank: Specific,
		Title:  "The hosts table does not have the name",
		When:   "hosts without fallthrough answers SERVFAIL for every name that it lacks, not NXDOMAIN.",
		Advice: "Write fallthrough in the hosts block, or limit hosts to the zones that it has in full.",
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

	noNextPlugin = &Cause{
		ID: "no_next_plugin", Code: 0, Lasts: Persistent, Owner: Us, Rank: Specific,
		Title:    "No plugin of the server block answers this name",
		When:     "The chain of plugins ended: the last one passed the query on and nothing follows it.",
		Advice:   "Add a forward for the rest of the names, or serve the name's zone; limit the block to the zones it has.",
		Corefile: `forward . 192.0.2.53`,
		Brief:    "nothing on this server answers this name",
		Full:     "no plugin after {at} answers {asked}: add forward, or a zone for it",
	}
	forwardLoop = &Cause{
		ID: "forward_loop", Code: 0, Lasts: Persistent, Owner: Us, Rank: Found,
		Title:  "This server forwards to itself",
		When:   "The upstream's address is this server's own, or that of a block that forwards back; often /etc/resolv.conf names the server itself.",
		Advice: "Name a real upstream in forward. The loop plugin stops such a server at start.",
		Corefile: `loop
forward . 192.0.2.53`,
		Brief: "this server forwards to itself",
		Full:  "{at} asks {upstream}, from where the query comes back to this server block",
	}
	templateError = &Cause{
		ID: "template_error", Code: 0, Lasts: Persistent, Owner: Us, Rank: Specific,
		Title:  "A template does not give a valid record",
		When:   "The template plugin cannot execute a template, or what it renders is no resource record.",
		Advice: "Read the error: it has the line and column inside the template.",
		Corefile: `template IN A example.org {
    answer "{{ .Name }} 60 IN A 192.0.2.1"
}`,
		Brief: "this server's configured answer for the name is faulty",
		Full:  "{at} does not render: {error}",
	}
	templateNoMatch = &Cause{
		ID: "template_nomatch", Code: 0, Lasts: Persistent, Owner: Us, Rank: Specific,
		Title:  "No template matches the name",
		When:   "A template covers the zone and type, its match does not fit, and it has no fallthrough: CoreDNS answers SERVFAIL.",
		Advice: "Write fallthrough in the template, or a match that fits.",
		Corefile: `template IN A example.org {
    match ^host[0-9]+[.]
    answer "{{ .Name }} 60 IN A 192.0.2.1"
    fallthrough
}
forward . 192.0.2.53`,
		Brief: "nothing on this server answers this name",
		Full:  "no template of {at} matches {asked} and there is no fallthrough",
	}
	rewriteInvalidName = &Cause{
		ID: "rewrite_invalid_name", Code: 0, Lasts: Persistent, Owner: Us, Rank: Specific,
		Title:    "A rewrite made an invalid name",
		When:     "A rewrite rule applied to the name gives one that is longer than 255 octets or otherwise no domain name.",
		Advice:   "Test the rule with the name of the log line.",
		Corefile: `rewrite name regex (.*)[.]old[.]example {1}.new.example`,
		Brief:    "this server makes an invalid name of the question",
		Full:     "{at} made an invalid name of {qname}",
	}
	erratic = &Cause{
		ID: "erratic", Code: 0, Lasts: Persistent, Owner: Us, Rank: Specific,
		Title:   "The erratic test plugin answered",
		When:    "erratic answers SERVFAIL for all types other than A, AAAA and AXFR; it is for tests.",
		Advice:  "Take erratic out of the Corefile of a server that people use.",
		Command: "grep -n erratic Corefile",
		Brief:   "answered by a test plugin",
		Full:    "answered by {at}, a test plugin, which knows A, AAAA and AXFR only",
	}
	clientMalformed = &Cause{
		ID: "client_malformed", Code: 0, Lasts: Persistent, Owner: Client, Rank: Specific,
		Title:   "The query cannot be served as it is",
		When:    "An IXFR without exactly one SOA record in its authority section (RFC 1995 section 3).",
		Advice:  "The client has to send the SOA that it has, from which the difference counts.",
		Command: "dig @SERVER ZONE IXFR=SERIAL +tcp",
		Brief:   "the query is malformed: IXFR needs one SOA in its authority section",
		Full:    "the query is malformed: IXFR of {qname} needs one SOA in its authority section",
	}
	updateFailed = &Cause{
		ID: "update_failed", Code: 14, Lasts: LastsOpen, Owner: Us, Rank: Specific,
		Title:   "The dynamic update could not be stored",
		When:    "The update was allowed, and the store could not be opened, the new zone not built, or the change not committed.",
		Advice:  "Read the dynupdate lines of the log; check the disk and the permissions of the store.",
		Command: "nsupdate -d -y hmac-sha256:NAME:SECRET",
		Brief:   "the dynamic update could not be stored",
		Full:    "{at} could not store the dynamic update of {qname}",
	}
	internalLookup = &Cause{
		ID: "internal_lookup_failed", Code: 0, Lasts: Transient, Owner: Us, Rank: Specific,
		Title:   "A lookup inside this server gave nothing",
		When:    "dns64 or siit asked this server itself for the other address family and got no answer.",
		Advice:  "If it lasts, check that the server block below dns64 or siit answers the plain query.",
		Command: "dig @SERVER NAME A",
		Brief:   "a lookup inside this server gave nothing",
		Full:    "a lookup inside {at} gave nothing: {error}",
	}
	searchPathFailed = &Cause{
		ID: "search_path_failed", Code: 0, Lasts: Persistent, Owner: Us, Rank: Specific,
		Title:   "autopath could not apply the search path",
		When:    "The name is shorter than the zone that autopath takes from it.",
		Advice:  "Check the zones of autopath against the search path of the client.",
		Command: "cat /etc/resolv.conf",
		Brief:   "this server could not apply its search path to the name",
		Full:    "{at} could not apply its search path to {qname}: {error}",
	}
	canceled = &Cause{
		ID: "canceled", Code: 0, Lasts: Transient, Owner: Us, Rank: Specific,
		Title:  "The query was given up before an upstream was tried",
		When:   "The time of the cancel plugin or the client's connection ended first.",
		Advice: "If it is frequent, raise the time of cancel.",
		Corefile: `cancel 5s
forward . 192.0.2.53`,
		Brief: "given up before an upstream was tried",
		Full:  "given up before {at} tried an upstream",
	}
	panicked = &Cause{
		ID: "panic", Code: 0, Lasts: Persistent, Owner: Us, Rank: Specific,
		CodeNote: "none: the server core answers",
		Title:    "A plugin panicked",
		When:     "A fault in a plugin. CoreDNS recovers and answers SERVFAIL itself, so that the answer carries no Extended DNS Error.",
		Advice:   "Report it with the stack trace, which errors logs with stacktrace; dns64 and siit panic when no plugin follows them.",
		Corefile: `errors {
    stacktrace
}`,
		Full: "{at} panicked: {panic}",
	}
	cachedFailure = &Cause{
		ID: "cached_failure", Code: 13, Lasts: Transient, Owner: Nobody, Rank: Generic,
		Title:  "A failure out of the cache whose beginning was not seen",
		When:   "The cache holds the SERVFAIL, and what caused it is not remembered (any more).",
		Advice: "Ask again when the servfail time of cache is over; the first failure after that has its cause.",
		Corefile: `cache {
    servfail 5s
}`,
		Brief: "cached failure, cause not known any more",
		Full:  "cached failure, cause not known any more",
	}
	pluginEDE = &Cause{
		ID: "plugin_ede", Code: 0, Lasts: LastsOpen, Owner: Us, Rank: Specific,
		CodeNote: "the plugin's own",
		Title:    "A plugin said why",
		When:     "A plugin that this catalog does not know, as one that CoreDNS does not ship, put Extended DNS Errors of its own into the answer; they stay as they are.",
		Advice:   "Read the code and the text, and the documentation of the plugin that the log line names.",
		Command:  "coredns -plugins",
		Brief:    "{rcode} with a reason of its own",
		Full:     "{at} answered {rcode} with a reason of its own",
	}
	remoteUnreachable = &Cause{
		ID: "remote_unreachable", Code: 23, Lasts: Transient, Owner: Us, Rank: Specific,
		Title:   "A plugin cannot reach another server",
		When:    "A plugin that this catalog does not know, as one that CoreDNS does not ship, returned a network error with the address of its peer.",
		Advice:  "Check that the address in the error is right and can be reached, and the plugin's own configuration.",
		Command: "nc -zv ADDRESS PORT",
		Brief:   "this server cannot reach another server that it needs",
		Full:    "{at} cannot reach another server{with error}",
	}
	unknown = &Cause{
		ID: "unknown", Code: 0, Lasts: LastsOpen, Owner: Nobody, Rank: Unexplained,
		Title:   "Not explained",
		When:    "The evidence fits no cause of this catalog, as with a plugin that CoreDNS does not ship.",
		Advice:  "Look at the log line: it has the plugin and its error. A report with it helps to add the cause.",
		Command: "ede check Corefile",
		Brief:   "{rcode}, cause not known",
		Full:    "{rcode} from {at}, cause not known{with error}",
	}
	faultCauses = []*Cause{
		noNextPlugin, forwardLoop, templateError, templateNoMatch, rewriteInvalidName, erratic, clientMalformed,
		updateFailed, internalLookup, searchPathFailed, canceled, panicked, cachedFailure, pluginEDE, remoteUnreachable, unknown,
	}
)
