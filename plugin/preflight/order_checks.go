package preflight

import "slices"

// aboveEDE are the plugins that CoreDNS puts up to and including dnstap, and
// those without a handler. All others of its own answer or fail, or change what
// those below do.
var aboveEDE = []string{
	"root", "metadata", "geoip", "cancel", "proxyproto", "quic", "grpc_server",
	"https", "https3", "timeouts", "multisocket", "reload", "nsid", "bufsize",
	"bind", "debug", "trace", "ready", "health", "pprof", "shed", "prometheus",
	"errors", "log", "dnstap",
	"tls", "on", "sign",
}

func findLowEDE(c *config, s *server) []finding {
	place := slices.Index(c.order, "ede")
	e, ok := s.find("ede")
	if place < 0 || !ok {
		return nil
	}
	var above []string
	for _, name := range c.order[:place] {
		if _, known := behaviours[name]; known && !slices.Contains(aboveEDE, name) && s.has(name) {
			above = append(above, name)
		}
	}
	if len(above) == 0 {
		return nil
	}
	return []finding{e.finding(listed(above...))}
}

// findIdleEDE looks at ede where it sees questions as the client asks them.
func findIdleEDE(c *config, s *server) []finding {
	e, ok := s.find("ede")
	if !ok || len(findLowEDE(c, s)) > 0 {
		return nil
	}
	zones := zonesOf(e.args(), s.zones)
	if slices.ContainsFunc(zones, func(z string) bool { return overlapping(s.zones, z) }) {
		return nil
	}
	return []finding{e.finding(listed(e.args()...))}
}

// findSwallowedErrors: etcd writes its SERVFAIL and returns the error with
// rcode 0; minimal holds the message back and drops it because of the error
// (plugin/minimal/minimal.go, ServeDNS).
func findSwallowedErrors(c *config, s *server) []finding {
	minimal, etcd := slices.Index(c.order, "minimal"), slices.Index(c.order, "etcd")
	l, ok := s.find("minimal")
	if minimal < 0 || etcd < minimal || !ok || !s.has("etcd") {
		return nil
	}
	return []finding{l.finding()}
}
