package evidence

// Stock are the plugins that CoreDNS ships and that answer queries or pass them on. What
// each of them does is known. Of all others only what they say and what is seen is used.
var Stock = setOf(
	"acl", "any", "auto", "autopath", "azure", "bufsize", "cache", "cancel", "chaos", "clouddns", "dns64", "dnssec",
	"dnstap", "dynupdate", "ede", "erratic", "errors", "etcd", "file", "forward", "geoip", "grpc", "header", "hosts",
	"k8s_external", "kubernetes", "loadbalance", "local", "log", "loop", "metadata", "minimal", "nomad", "nsid", "on",
	"prometheus", "rewrite", "route53", "secondary", "shed", "sign", "siit", "template", "trace", "transfer",
	"tsig", "view", "whoami",
)

func setOf(names ...string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[name] = true
	}
	return set
}
