package observe

// stock are the plugins that CoreDNS ships and that can stand below ede. What each of
// them does is known; of all others only what they say and what is seen of them.
var stock = map[string]bool{
	"local": true, "dns64": true, "siit": true, "any": true, "chaos": true, "loadbalance": true, "tsig": true,
	"rewrite": true, "autopath": true, "acl": true, "cache": true, "header": true, "dnssec": true, "tls": true,
	"minimal": true, "template": true, "transfer": true, "dynupdate": true, "hosts": true, "route53": true,
	"azure": true, "clouddns": true, "k8s_external": true, "kubernetes": true, "file": true, "auto": true,
	"secondary": true, "etcd": true, "loop": true, "forward": true, "grpc": true, "erratic": true, "whoami": true,
	"on": true, "sign": true, "view": true, "nomad": true,
}

func isStock(plugin string) bool { return stock[plugin] }

// changesRcodes is true for plugins that can change the rcode of a message on its way
// up: rewrite has a rule for it, and nobody knows what plugins do that CoreDNS does not
// ship.
func changesRcodes(plugin string) bool { return plugin == "rewrite" || !isStock(plugin) }
