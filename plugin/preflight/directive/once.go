package directive

import "github.com/coredns/caddy/caddyfile"

// once are the plugins whose set-up refuses a second use (most with plugin.ErrOnce).
var once = map[string]bool{
	"metadata": true, "geoip": true, "multisocket": true, "nsid": true, "ready": true, "pprof": true, "shed": true, "prometheus": true, "errors": true,
	"tsig": true, "cache": true, "dnssec": true, "dynupdate": true, "hosts": true, "kubernetes": true, "loop": true,
	"grpc": true, "view": true,
}

// Once reports whether CoreDNS does not start with two uses of a plugin in one block.
func Once(name string) bool { return once[name] }

// Doubled reports whether tokens, of one line, are the same line again and again, as a
// snippet makes them that a block imports twice: CoreDNS tells lines apart by their number
// alone. A file may have the name of a plugin, for example in `hosts hosts`.
func Doubled(tokens []caddyfile.Token) bool {
	for line := 1; line <= len(tokens)/2; line++ {
		if len(tokens)%line == 0 && (line > 1 || lonely[tokens[0].Text]) && repeats(tokens, line) {
			return true
		}
	}
	return false
}

// repeats reports whether tokens are the first of them again and again.
func repeats(tokens []caddyfile.Token, first int) bool {
	for i := first; i < len(tokens); i++ {
		a, b := &tokens[i-first], &tokens[i]
		if a.Text != b.Text || a.Line != b.Line || a.File != b.File {
			return false
		}
	}
	return true
}

// lonely are plugins that often stand without an argument, and whose argument would be no file.
var lonely = map[string]bool{
	"errors": true, "log": true, "cache": true, "loop": true, "reload": true, "ready": true, "health": true, "loadbalance": true,
	"prometheus": true, "debug": true, "metadata": true, "minimal": true, "whoami": true, "any": true, "nsid": true, "pprof": true,
}
