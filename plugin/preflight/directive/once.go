package directive

// once are the plugins whose set-up refuses a second use (most with plugin.ErrOnce).
var once = map[string]bool{
	"metadata": true, "geoip": true, "multisocket": true, "nsid": true, "ready": true, "pprof": true, "shed": true, "prometheus": true, "errors": true,
	"tsig": true, "cache": true, "dnssec": true, "dynupdate": true, "hosts": true, "kubernetes": true, "loop": true,
	"grpc": true, "view": true,
}

// Once reports whether CoreDNS does not start with two uses of a plugin in one block.
func Once(name string) bool { return once[name] }
