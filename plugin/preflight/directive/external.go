package directive

// External are plugins of others whose names are near to one of CoreDNS's own.
var External = []string{
	"ads", "alias", "alternate", "block", "blocklist", "docker", "dump", "fanout", "filter", "finalize", "firewall",
	"git", "k8s_cname", "k8s_gateway", "kubenodes", "kubernetai", "mdns", "meship", "mysql", "netbox", "pdsql",
	"records", "recursor", "redis", "rrl", "unbound", "wgsd",
}
