package directive

// External are plugins of others whose names are near to one of CoreDNS's own.
var External = []string{
	"ads", "alias", "alternate", "block", "blocklist", "docker", "dump", "fanout", "filter", "finalize", "firewall",
	"git", "idetcd", "k8s_cname", "k8s_gateway", "kubenodes", "kubernetai", "mdns", "meship", "mysql", "netbox", "pdsql",
	"records", "recursor", "redis", "rrl", "unbound", "wgsd",
}

// Successors are plugins that CoreDNS no longer has, with what to write.
var Successors = map[string]string{
	"proxy":      "write `forward` with the same zone and addresses",
	"reverse":    "write `template IN PTR` with a `match` of the reverse zone",
	"federation": "remove it, or write `rewrite name` for the names of other clusters",
	"startup":    "write `on startup COMMAND`",
	"shutdown":   "write `on shutdown COMMAND`",
}

// Removed are properties that plugins no longer have, with what to write.
var Removed = map[string]map[string]string{
	"kubernetes": {
		"upstream":     "remove the line: names outside of the cluster are looked up by this server itself",
		"resyncperiod": "remove the line: kubernetes hears of changes by itself",
		"transfer":     "write the plugin `transfer` in this block, for example: `transfer { to * }`",
		"federation":   "remove the line",
	},
	"file":      {"transfer": "write the plugin `transfer` in this block, for example: `transfer { to * }`", "no_reload": "write `reload 0`"},
	"auto":      {"transfer": "write the plugin `transfer` in this block, for example: `transfer { to * }`", "no_reload": "write `reload 0`"},
	"secondary": {"transfer to": "write the plugin `transfer` in this block, for example: `transfer { to * }`"},
	"forward":   {"spray": "remove the line", "protocol": "write `force_tcp` or `prefer_udp`"},
}

// AboveEDE are the plugins that CoreDNS puts up to and including dnstap, and
// those without a handler. All others of its own answer or fail, or change what
// those below do.
var AboveEDE = []string{
	"root", "metadata", "geoip", "cancel", "proxyproto", "quic", "grpc_server",
	"https", "https3", "timeouts", "multisocket", "reload", "nsid", "bufsize",
	"bind", "debug", "trace", "ready", "health", "pprof", "shed", "prometheus",
	"errors", "log", "dnstap",
	"tls", "on", "sign",
}
