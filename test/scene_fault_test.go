package test_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

var faultScenes = []scene{
	{
		name: "nothing after hosts", cause: "no_next_plugin",
		stage: func(t *testing.T) stage {
			return stage{plugins: "hosts " + textFile(t, "192.0.2.5 known.example.net\n") + " example.net"}
		},
		rcode: "SERVFAIL", at: "hosts",
		brief: []string{"0 nothing on this server answers this name"},
		full:  []string{"0 no plugin after hosts answers scene… A: add forward, or a zone for it"},
		log:   line{"owner": "us", "lasts": "persistent"},
	},
	ends("kubernetes", func(t *testing.T) string {
		return unsyncedKubernetes(t)
	}),
	ends("etcd", func(t *testing.T) string {
		return "etcd skydns.local {\n endpoint http://" + upstream.Closed(t) + "\n }"
	}),
	ends("nomad", func(t *testing.T) string {
		return "nomad service.nomad {\n address http://" + upstream.Closed(t) + "\n }"
	}),
	ends("template", func(*testing.T) string {
		return "template IN A example.net {\n answer \"{{ .Name }} 60 IN A 192.0.2.1\"\n }"
	}),
	ends("dynupdate", func(t *testing.T) string {
		return fmt.Sprintf("dynupdate example.net {\n file %s\n allow %s * *\n }", textFile(t, strings.ReplaceAll(zoneText, "example.org", "example.net")), keyName)
	}),
	ends("forward", func(t *testing.T) string { return "forward example.net " + upstream.Closed(t) }),
	ends("rewrite", func(*testing.T) string { return "rewrite name exact a.example.org b.example.org" }),
	ends("transfer", func(*testing.T) string { return "transfer {\n to *\n }" }),
	ends("minimal", func(*testing.T) string {
		return "metadata\ncancel\nbufsize 1232\nany\nchaos\nloadbalance\nheader {\n response set ra\n }\nnsid\nminimal"
	}),
	{
		name: "nothing after ede", cause: "no_next_plugin",
		stage: plain("errors"),
		rcode: "SERVFAIL", at: "ede",
		brief: []string{"0 nothing on this server answers this name"},
		full:  []string{"0 no plugin after ede answers scene… A: add forward, or a zone for it"},
	},
	{
		name: "nothing after acl, which counts as a plugin", cause: "no_next_plugin",
		stage: plain("acl {\n allow net 127.0.0.0/8\n }"), under: "=forward.",
		rcode: "SERVFAIL", at: "acl",
		brief: []string{"0 nothing on this server answers this name"},
		full:  []string{"0 no plugin after acl answers forward. A: add forward, or a zone for it"},
	},
	{
		name: "a name outside of what grpc forwards", cause: "no_next_plugin",
		stage: closedAndSilent("grpc example.net "),
		rcode: "SERVFAIL", at: "grpc",
		brief: []string{"0 nothing on this server answers this name"},
		full:  []string{"0 no plugin after grpc answers scene… A: add forward, or a zone for it"},
	},
	{
		name: "a template that does not execute", cause: "template_error",
		stage: plain("template IN A . {\n answer \"{{ .Name }} 60 IN A {{ index .Match 9 }}\"\n }"),
		rcode: "SERVFAIL", at: "template",
		brief: []string{"0 this server's configured answer for the name is faulty"},
		full:  []string{"0 template does not render: template: answer:1:23: executing …"},
	},
	{
		name: "a template that gives no record", cause: "template_error",
		stage: plain("template IN A . {\n answer \"{{ .Name }} 60 IN A {{ .Name }}\"\n }"),
		rcode: "SERVFAIL", at: "template",
		brief: []string{"0 this server's configured answer for the name is faulty"},
		full:  []string{"0 template does not render: dns: bad A A: …"},
	},
	{
		name: "no template that matches", cause: "template_nomatch",
		stage: plain("template IN A . {\n match ^never[.]\n answer \"{{ .Name }} 60 IN A 192.0.2.1\"\n }"),
		rcode: "SERVFAIL", at: "template",
		brief: []string{"0 no configured answer of this server matches this name and type"},
		full:  []string{"0 no template block matches scene… A, and there is no fallthrough"},
	},
	{
		name: "a rewrite that makes an invalid name", cause: "rewrite_invalid_name",
		stage: plain("rewrite name regex (.*)[.]example[.]org {1}.{1}.{1}.{1}.{1}.{1}.example.org\nwhoami"),
		under: "=" + strings.Repeat("a", 60) + ".example.org.",
		rcode: "SERVFAIL", at: "rewrite",
		brief: []string{"0 this server turns the name into an invalid one"},
		full:  []string{"0 rewrite turned aaa…"},
	},
	{
		name: "erratic is asked for MX", cause: "erratic",
		stage: plain("erratic {\n drop 0\n delay 0\n }"), message: asked(dns.TypeMX),
		rcode: "SERVFAIL", at: "erratic",
		brief: []string{"0 answered by a test plugin"},
		full:  []string{"0 answered by erratic, a test plugin, which knows A, AAAA and AXFR only"},
	},
	{
		name: "the lookup of dns64 gives nothing", cause: "internal_lookup_failed",
		stage:   plain("dns64 {\n allow_ipv4\n }\ntemplate IN AAAA . {\n rcode NOERROR\n }\nfault dropped SERVFAIL"),
		message: asked(dns.TypeAAAA),
		rcode:   "SERVFAIL", at: "dns64",
		brief: []string{"0 a lookup inside this server gave nothing"},
		full:  []string{"0 a lookup inside dns64 gave nothing: dns64: upstream returned no response"},
	},
	{
		name: "autopath is asked for its search path itself", cause: "search_path_failed",
		stage: func(t *testing.T) stage {
			return stage{plugins: "autopath . " + textFile(t, "search example.org\nnameserver 192.0.2.53\n") + "\nwhoami"}
		},
		under: "=example.org.",
		rcode: "SERVFAIL", at: "autopath",
		brief: []string{"0 this server could not apply its search path to the name"},
		full:  []string{"0 autopath could not apply its search path to example.org.: trimzone: overshot qname…"},
	},
	{
		name: "cancel ends the query before an upstream is tried", cause: "canceled",
		stage: closedAndSilent("cancel 1ns\nforward . "),
		rcode: "SERVFAIL", at: "forward",
		brief: []string{"0 given up before an upstream was tried"},
		full:  []string{"0 the client or a timeout ended the query before forward tried an upstream"},
	},
	{
		name: "a plugin that CoreDNS does not ship gives its own reason", cause: "plugin_ede",
		stage: plain("fault reasoned REFUSED"),
		rcode: "REFUSED", at: "fault",
		brief: []string{"17 as you asked"}, full: []string{"17 as you asked"},
	},
	{
		name: "a plugin that CoreDNS does not ship cannot reach its store", cause: "remote_unreachable",
		stage: plain("fault dialled SERVFAIL"),
		rcode: "SERVFAIL", at: "fault",
		brief: []string{"23 this server cannot reach another server that it needs"},
		full:  []string{"23 plugin fault cannot reach another server: store: dial tcp 127.0.0.1:1: connect: connection refused"},
	},
	{
		name: "a plugin that CoreDNS does not ship waits until its deadline", cause: "upstream_timeout",
		stage: plain("fault timed SERVFAIL"),
		rcode: "SERVFAIL", at: "fault",
		brief: []string{"23 no reply from the upstream within the time allowed"},
		full:  []string{"23 no reply within the time allowed: an upstream of fault timed out"},
	},
	{
		name: "a plugin that CoreDNS does not ship refuses and says nothing", cause: "plugin_refused",
		stage: plain("fault returned REFUSED"),
		rcode: "REFUSED", at: "fault",
		brief: []string{"0 this server refused the query and gave no reason"},
		full:  []string{"0 plugin fault refused the query and gave no reason"},
	},
	{
		name: "rewrite makes another rcode of an answer", cause: "rcode_changed",
		stage: plain("rewrite rcode suffix example.org. NOERROR REFUSED\nwhoami"),
		rcode: "REFUSED", at: "rewrite",
		brief: []string{"0 this server changed the answer from NOERROR to REFUSED"},
		full:  []string{"0 rewrite changed the answer from NOERROR to REFUSED"},
	},
	{
		name: "a plugin that CoreDNS does not ship has errors of its own", cause: "unknown",
		stage: plain("fault custom REFUSED"),
		rcode: "REFUSED", at: "fault",
		brief: []string{"0 REFUSED, cause not known"},
		full:  []string{"0 REFUSED from plugin fault, cause not known: policy 7 says no"},
	},
	{
		name: "a plugin that CoreDNS does not ship", cause: "unknown",
		stage: plain("fault returned-error SERVFAIL"),
		rcode: "SERVFAIL", at: "fault",
		brief: []string{"0 SERVFAIL, cause not known"},
		full:  []string{"0 SERVFAIL from plugin fault, cause not known: disk on fire"},
	},
}

// ends is a scene of a chain whose last plugin is at.
func ends(at string, plugins func(*testing.T) string) scene {
	return scene{
		name: "nothing after " + at + ", which passes on", cause: "no_next_plugin",
		stage: func(t *testing.T) stage { return stage{plugins: plugins(t)} },
		rcode: "SERVFAIL", at: at,
		brief: []string{"0 nothing on this server answers this name"},
		full:  []string{"0 no plugin after " + at + " answers scene… A: add forward, or a zone for it"},
	}
}

// closedAndSilent is a stage with an upstream that is never asked, so that
// nothing may name it.
func closedAndSilent(plugins string) func(*testing.T) stage {
	return func(t *testing.T) stage { return stage{plugins: plugins + upstream.Closed(t)} }
}
