package cause

var (
	noNextPlugin = &Cause{
		ID: "no_next_plugin", Code: 0, Lasts: Persistent, Owner: Us, Rank: Specific,
		Title:    "No plugin of the server block answers this name",
		When:     "The last plugin of the chain passed the query on, and no plugin follows it.",
		Advice:   "Add the forward plugin for the other names, or give the block only the zones that it serves. To answer NXDOMAIN, serve the zone with the file plugin. If template is the only plugin that answers, add a last template: template ANY ANY with rcode NXDOMAIN.",
		Corefile: `forward . 192.0.2.53`,
		Brief:    "nothing on this server answers this name",
		Full:     "no plugin after {at} answers {asked}: add forward, or a zone for it",
	}
	forwardLoop = &Cause{
		ID: "forward_loop", Code: 0, Lasts: Persistent, Owner: Us, Rank: Found,
		Title:  "This server forwards to itself",
		When:   "The upstream's address belongs to this server itself, or to a server block that forwards back. Often /etc/resolv.conf names this server. ede names this cause only after it has seen the queries come back. Before that, the failure has another cause, for example upstream_timeout. If the loop goes through another server, ede needs several queries to see it.",
		Advice: "Name a real upstream in the forward plugin. With the loop plugin, such a server stops at start.",
		Corefile: `loop
forward . 192.0.2.53`,
		Brief: "this server forwards to itself",
		Full:  "{at} sends the query to {upstream}, and the query comes back to this server block",
	}
	templateError = &Cause{
		ID: "template_error", Code: 0, Lasts: Persistent, Owner: Us, Rank: Specific,
		Title:  "A template does not give a valid record",
		When:   "The template plugin cannot execute a template, or its output is not a resource record.",
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
		When:   "A template covers the zone and type, but its match line does not fit the name. The template has no fallthrough, so CoreDNS answers SERVFAIL.",
		Advice: "Write fallthrough in the template, or change its match line so that it fits the name.",
		Corefile: `template IN A example.org {
    match ^host[0-9]+[.]
    answer "{{ .Name }} 60 IN A 192.0.2.1"
    fallthrough
}
forward . 192.0.2.53`,
		Brief: "no configured answer of this server matches this name and type",
		Full:  "no template block matches {asked}, and there is no fallthrough",
	}
	rewriteInvalidName = &Cause{
		ID: "rewrite_invalid_name", Code: 0, Lasts: Persistent, Owner: Us, Rank: Specific,
		Title:    "A rewrite turned the name into an invalid one",
		When:     "A rewrite rule turns the name into one that is longer than 255 octets, or that is no domain name for another reason.",
		Advice:   "Test the rule with the name in the log line.",
		Corefile: `rewrite name regex (.*)[.]old[.]example {1}.new.example`,
		Brief:    "this server turns the name into an invalid one",
		Full:     "{at} turned {qname} into an invalid name",
	}
	erratic = &Cause{
		ID: "erratic", Code: 0, Lasts: Persistent, Owner: Us, Rank: Specific,
		Title:   "The erratic test plugin answered",
		When:    "The plugin erratic is for tests. It answers SERVFAIL for all types other than A, AAAA and AXFR.",
		Advice:  "Remove erratic from the Corefile if people use this server.",
		Command: "grep -n erratic Corefile",
		Brief:   "answered by a test plugin",
		Full:    "answered by {at}, a test plugin, which knows A, AAAA and AXFR only",
	}
	clientMalformed = &Cause{
		ID: "client_malformed", Code: 0, Lasts: Persistent, Owner: Client, Rank: Specific,
		Title:   "The query cannot be served as it is",
		When:    "The client sent an IXFR whose authority section does not have exactly one SOA record (RFC 1995 section 3).",
		Advice:  "The client has to send the SOA record of its own copy of the zone. The client then gets the changes since the serial of this record.",
		Command: "dig @SERVER ZONE IXFR=SERIAL +tcp",
		Brief:   "the query is malformed: IXFR needs one SOA in its authority section",
		Full:    "the query is malformed: IXFR of {qname} needs one SOA in its authority section",
	}
	updateFailed = &Cause{
		ID: "update_failed", Code: 14, Lasts: LastsOpen, Owner: Us, Rank: Specific,
		Title:   "The dynamic update could not be stored",
		When:    "The update was allowed, but the store could not be opened, the new zone could not be built, or the change could not be committed.",
		Advice:  "Read the lines of the dynupdate plugin in the log; check the disk and the permissions of the store.",
		Command: "nsupdate -d -y hmac-sha256:NAME:SECRET",
		Brief:   "the dynamic update could not be stored{reason}",
		Full:    "{at} could not store the dynamic update of {qname}{overheard}",
	}
	internalLookup = &Cause{
		ID: "internal_lookup_failed", Code: 0, Lasts: Transient, Owner: Us, Rank: Specific,
		Title:   "A lookup inside this server gave nothing",
		When:    "The plugin dns64 or siit asked this server itself for the name's other address type (A or AAAA), and got no answer.",
		Advice:  "If the failure lasts, check that a plugin below dns64 or siit answers this type for the name.",
		Command: "dig @SERVER NAME A",
		Brief:   "a lookup inside this server gave nothing",
		Full:    "a lookup inside {at} gave nothing: {error}",
	}
	searchPathFailed = &Cause{
		ID: "search_path_failed", Code: 0, Lasts: Persistent, Owner: Us, Rank: Specific,
		Title:   "autopath could not apply the search path",
		When:    "The name is itself the first domain of the search path: autopath removes this domain from the name, and nothing is left.",
		Advice:  "If clients need this name, remove the domain from the search path of autopath, or remove autopath.",
		Command: "cat /etc/resolv.conf",
		Brief:   "this server could not apply its search path to the name",
		Full:    "{at} could not apply its search path to {qname}: {error}",
	}
	canceled = &Cause{
		ID: "canceled", Code: 0, Lasts: Transient, Owner: Us, Rank: Specific,
		Title:  "The query was given up before an upstream was tried",
		When:   "The timeout of the cancel plugin passed, or the client closed its connection, before an upstream was tried.",
		Advice: "If this is frequent, raise the timeout of the cancel plugin.",
		Corefile: `cancel 5s
forward . 192.0.2.53`,
		Brief: "given up before an upstream was tried",
		Full:  "the client or a timeout ended the query before {at} tried an upstream",
	}
	panicked = &Cause{
		ID: "panic", Code: 0, Lasts: Persistent, Owner: Us, Rank: Specific,
		CodeNote: "none: the server core answers",
		Title:    "A plugin panicked",
		When:     "A plugin has a fault. CoreDNS recovers and answers SERVFAIL itself, so the answer has no Extended DNS Error.",
		Advice:   "Report the panic with its stack trace; the errors plugin logs the trace if its block has stacktrace. dns64 and siit panic when no plugin follows them.",
		Corefile: `errors {
    stacktrace
}`,
		Full: "{panicked} panicked: {panic}{panic at}",
	}
	cachedFailure = &Cause{
		ID: "cached_failure", Code: 13, Lasts: Transient, Owner: Nobody, Rank: Generic,
		Title:  "A failure from cache whose cause is not known",
		When:   "The cache holds the SERVFAIL, and ede does not know the cause: it did not see the first failure, or no longer remembers it.",
		Advice: "Wait until the cache plugin has given up the failure, and query again: the next failure then has its cause. This takes the servfail time, and with serve_stale the time of serve_stale as well. A restart of CoreDNS empties the cache at once.",
		Corefile: `cache {
    servfail 5s
}`,
		Brief: "cached failure, cause not known",
		Full:  "cached failure, cause not known",
	}
	pluginEDE = &Cause{
		ID: "plugin_ede", Code: 0, Lasts: LastsOpen, Owner: Us, Rank: Specific,
		CodeNote: "the plugin's own",
		Title:    "A plugin said why",
		When:     "The answer has Extended DNS Errors from a plugin that this catalog does not know. ede leaves them as they are. Such a plugin is, for example, one that CoreDNS does not ship.",
		Advice:   "Read the code and the text, and the documentation of the plugin that the log line names.",
		Command:  "coredns -plugins",
		Brief:    "{rcode} with a reason of its own",
		Full:     "plugin {at} answered {rcode} with a reason of its own",
	}
	rcodeChanged = &Cause{
		ID: "rcode_changed", Code: 0, Lasts: Persistent, Owner: Us, Rank: Specific, Policy: true,
		CodeNote: "0 Other Error, then the codes of the earlier failure, if there was one",
		Title:    "A plugin changed the rcode of the answer",
		When:     "A plugin gave an answer, good or failing. Then a plugin above it gave this answer another rcode. Such a plugin is, for example, rewrite with an rcode rule, or a firewall plugin.",
		Advice:   "If the original answer should reach the client, change the rule of the plugin that the log line names.",
		Corefile: "rewrite rcode exact example.org. NXDOMAIN NOERROR",
		Brief:    "this server changed the answer from {from} to {rcode}",
		Full:     "{changed by} changed the answer from {from} to {rcode}",
	}
	pluginRefused = &Cause{
		ID: "plugin_refused", Code: 0, Lasts: Persistent, Owner: Us, Rank: Specific, Policy: true,
		Title:   "A plugin refused and gave no reason",
		When:    "A plugin that this catalog does not know answered REFUSED by itself. Such a plugin is, for example, a block list or a firewall that CoreDNS does not ship.",
		Advice:  "Read the configuration and the documentation of the plugin that the log line names.",
		Command: "coredns -plugins",
		Brief:   "this server refused the query and gave no reason",
		Full:    "plugin {at} refused the query and gave no reason",
	}
	remoteUnreachable = &Cause{
		ID: "remote_unreachable", Code: 23, Lasts: Transient, Owner: Us, Rank: Specific,
		Title:   "A plugin cannot reach another server",
		When:    "A plugin that this catalog does not know returned a network error with the address of another server. Such a plugin is, for example, one that CoreDNS does not ship.",
		Advice:  "Check that the address in the error is right and can be reached. Then check the plugin's configuration.",
		Command: "nc -zv ADDRESS PORT",
		Brief:   "this server cannot reach another server that it needs",
		Full:    "plugin {at} cannot reach another server{with error}",
	}
	unknown = &Cause{
		ID: "unknown", Code: 0, Lasts: LastsOpen, Owner: Nobody, Rank: Unexplained,
		Title:   "Not explained",
		When:    "The evidence fits no cause of this catalog, for example because a plugin that CoreDNS does not ship failed.",
		Advice:  "Look at the log line: it has the plugin and its error. If you report the line, the cause can be added.",
		Command: "ede check Corefile",
		Brief:   "{rcode}, cause not known",
		Full:    "{rcode} from plugin {at}, cause not known{with error}",
	}
	faultCauses = []*Cause{
		noNextPlugin, forwardLoop, templateError, templateNoMatch, rewriteInvalidName, erratic, clientMalformed,
		updateFailed, internalLookup, searchPathFailed, canceled, panicked, cachedFailure, pluginEDE, pluginRefused, rcodeChanged, remoteUnreachable, unknown,
	}
)
