package directive

import (
	"slices"
	"strings"

	"github.com/coredns/caddy/caddyfile"
)

// Swallowed returns the first token of a directive that begins a line between its braces
// and is a plugin, or the zone of a block, which this plugin has not as a property, 0 if
// there is none. It is certain that the braces were not closed if no plugin has one of these
// lines as a property.
func Swallowed(tokens []caddyfile.Token, plugin func(name string) bool) (first int, certain bool) {
	depth := 0
	for i := 1; i < len(tokens); i++ {
		text, begins := tokens[i].Text, tokens[i].Line != tokens[i-1].Line
		if i > 1 && begins {
			rest := lineBehind(tokens, i)
			sure := unmistakable(text, rest) || plugin(text) && len(rest) > 0 && rest[len(rest)-1].Text == "{" // no plugin has such braces
			certain = certain || sure
			if first == 0 && (sure || depth == 1 && plugin(text) && !belongs(tokens[0].Text, text, rest)) {
				first = i
			}
		}
		switch text {
		case "{":
			depth++
		case "}":
			depth--
		}
	}
	return first, certain
}

// lineBehind are the tokens behind token i on its line.
func lineBehind(tokens []caddyfile.Token, i int) []caddyfile.Token {
	end := i + 1
	for end < len(tokens) && tokens[end].Line == tokens[i].Line {
		end++
	}
	return tokens[i+1 : end]
}

// unmistakable reports whether a line is of no plugin.
func unmistakable(text string, rest []caddyfile.Token) bool {
	switch text {
	case "forward":
		return len(rest) > 1
	case "errors":
		return len(rest) == 0
	case "prometheus", "loadbalance", "kubernetes", "whoami": // or, in hosts, a name before its address
		return len(rest) != 1 || !isAddress(rest[0].Text) || strings.Contains(rest[0].Text, ":")
	}
	return len(rest) > 0 && rest[len(rest)-1].Text == "{" && strings.Contains(text, ".") && !strings.ContainsAny(text, " \"{}")
}

// belongs reports whether a line may be one of plugin, although a plugin has its name.
func belongs(plugin, text string, rest []caddyfile.Token) bool {
	switch text {
	case "tls", "transfer", "file":
		return true
	case "reload":
		return len(rest) > 0
	case "log":
		return plugin == "ede"
	}
	return false
}

// Opens reports whether name, at the beginning of a line, is a line of plugin, whose first
// line has no brace.
func Opens(plugin, name string) bool {
	if isAddress(name) {
		return plugin == "hosts"
	}
	return name != "" && properties[name] == plugin || name == "fallthrough" && slices.Contains(passOn, plugin)
}

// passOn are the plugins with fallthrough.
var passOn = []string{"hosts", "template", "kubernetes", "k8s_external", "file", "auto", "secondary", "etcd", "route53", "clouddns", "azure", "nomad"}

// properties are words that begin a line between the braces of a plugin, with one that
// has them. No plugin has such a name.
var properties = map[string]string{
	"fallthrough": "hosts", "no_reverse": "hosts",
	"except": "forward", "max_fails": "forward", "max_concurrent": "forward", "expire": "forward", "policy": "forward",
	"health_check": "forward", "force_tcp": "forward", "prefer_udp": "forward", "tls_servername": "forward",
	"pods": "kubernetes", "endpoint": "kubernetes", "kubeconfig": "kubernetes", "namespaces": "kubernetes",
	"endpoint_pod_names": "kubernetes", "noendpoints": "kubernetes", "ttl": "kubernetes",
	"match": "template", "rcode": "template", "answer": "template", "additional": "template", "authority": "template",
	"success": "cache", "denial": "cache", "prefetch": "cache", "serve_stale": "cache", "servfail": "cache",
	"lameduck": "health", "class": "log", "expr": "view", "consolidate": "errors", "directory": "auto",
}
