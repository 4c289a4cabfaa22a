package cause

import (
	"errors"
	"slices"
	"testing"

	"github.com/miekg/dns"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// site is one place in CoreDNS 1.15.0 that answers SERVFAIL or REFUSED, with the
// evidence that it leaves. plugin/observe's tests pin the kinds of the errors.
type site struct {
	where string
	e     ev.Evidence
	cause string
	codes []uint16
}

const (
	servfail = dns.RcodeServerFailure
	refused  = dns.RcodeRefused
)

// errored is a site that returns an error with its rcode.
func errored(at string, rcode int, kind ev.Kind) ev.Evidence {
	return ev.Evidence{Rcode: rcode, At: at, Path: []string{at}, Shape: ev.Returned, Returned: true, Failure: ev.Failure{Kind: kind, Err: errors.New(kind.String())}}
}

// bareSite is a site that returns an rcode and nothing else.
func bareSite(at string, rcode int) ev.Evidence {
	return ev.Evidence{Rcode: rcode, At: at, Path: []string{at}, Shape: ev.Returned, Returned: true}
}

// wroteSite is a site that writes the failing message itself.
func wroteSite(at string, rcode int) ev.Evidence {
	return ev.Evidence{Rcode: rcode, At: at, Path: []string{at}, Shape: ev.Written, Reply: ev.Reply{Written: true}}
}

// answered is what an upstream's failing message leaves.
func answered(at string, rcode int, codes ...uint16) ev.Evidence {
	e := wroteSite(at, rcode)
	e.UpstreamAnswered, e.Upstream = true, "192.0.2.53:53"
	for _, c := range codes {
		e.Options = append(e.Options, option.Option{Code: c})
	}
	return e
}

// worded is a site of which nothing but its words is known.
func worded(at, text string) ev.Evidence {
	e := errored(at, servfail, ev.Other)
	e.Failure.Err = errors.New(text)
	return e
}

// changedBy is e, whose rcode a plugin made of from.
func changedBy(e ev.Evidence, plugin string, from int) ev.Evidence {
	e.Changed = ev.Changed{Plugin: plugin, From: from, To: e.Rcode}
	return e
}

func with(e ev.Evidence, change func(e *ev.Evidence)) ev.Evidence {
	change(&e)
	return e
}

func qtype(e ev.Evidence, t uint16) ev.Evidence {
	return with(e, func(e *ev.Evidence) { e.Question.Qtype, e.Asked.Qtype = t, t })
}

func inZone(e ev.Evidence, s ev.ZoneState) ev.Evidence {
	return with(e, func(e *ev.Evidence) { e.Zone = ev.Zone{Name: "example.org.", State: s} })
}

func updating(e ev.Evidence) ev.Evidence {
	return with(e, func(e *ev.Evidence) { e.Opcode = dns.OpcodeUpdate })
}

func signed(e ev.Evidence) ev.Evidence {
	return with(e, func(e *ev.Evidence) { e.Reply.Signed = true })
}

func around(outer, inner ev.Evidence) ev.Evidence {
	return with(outer, func(e *ev.Evidence) { e.Nested = &inner })
}

func below(e ev.Evidence, plugins ...string) ev.Evidence {
	return with(e, func(e *ev.Evidence) { e.Path = append(plugins, e.Path...) })
}

var sites = []site{
	{"plugin.go:88, no next plugin", errored("hosts", servfail, ev.NoNextPlugin), "no_next_plugin", []uint16{0}},
	{"acl.go:107, no next plugin", errored("acl", servfail, ev.NoNextPlugin), "no_next_plugin", []uint16{0}},
	{"forward.go:126, max_concurrent", errored("forward", refused, ev.LimitExceeded), "concurrency_limit", []uint16{0}},
	{"forward.go:294, timeout", errored("forward", servfail, ev.Timeout), "upstream_timeout", []uint16{23}},
	{"forward.go:294, refused", errored("forward", servfail, ev.ConnRefused), "upstream_unreachable", []uint16{23}},
	{"forward.go:294, unreachable", errored("forward", servfail, ev.Unroutable), "upstream_unreachable", []uint16{23}},
	{"forward.go:294, reset or closed", errored("forward", servfail, ev.Closed), "upstream_closed", []uint16{23}},
	{"forward.go:294, TLS", errored("forward", servfail, ev.TLS), "upstream_tls", []uint16{23}},
	{"forward.go:294, malformed", errored("forward", servfail, ev.Malformed), "upstream_malformed", []uint16{23}},
	{"forward.go:294, no descriptor left", errored("forward", servfail, ev.NoDescriptor), "out_of_sockets", []uint16{23}},
	{"forward.go:294, another network error", errored("forward", servfail, ev.NetworkOther), "upstream_network", []uint16{23}},
	{"forward.go:294, transport stopped", errored("forward", servfail, ev.Stopped), "upstream_network", []uint16{23}},
	{"forward.go:294, canceled", errored("forward", servfail, ev.Canceled), "canceled", []uint16{0}},
	{"forward.go:294, an error that is not known", errored("forward", servfail, ev.Other), "unknown", []uint16{0}},
	{"forward.go:297, failfast", errored("forward", servfail, ev.NoHealthy), "no_healthy_upstream", []uint16{22}},
	{"forward.go:297, time up before the first try", with(errored("forward", servfail, ev.NoHealthy), func(e *ev.Evidence) { e.Untried = true }), "canceled", []uint16{0}},
	{"forward.go:289, SERVFAIL relayed", answered("forward", servfail), "upstream_servfail", []uint16{0}},
	{"forward.go:289, REFUSED relayed", answered("forward", refused), "upstream_refused", []uint16{0}},
	{"forward.go:289, SERVFAIL with EDE", answered("forward", servfail, 7, 6), "upstream_ede", []uint16{7, 6}},
	{"forward.go:289, REFUSED with EDE", answered("forward", refused, 18), "upstream_ede", []uint16{18}},
	{"forward.go:289, from this server itself", with(answered("forward", servfail, 23), func(e *ev.Evidence) { e.Loops = true }), "forward_loop", []uint16{0}},
	{"connect.go:222, cut to the client's buffer", with(answered("forward", servfail), func(e *ev.Evidence) { e.Reply.Truncated = true }), "upstream_servfail", []uint16{0}},
	{"grpc.go:42, outside FROM", bareSite("grpc", servfail), "no_next_plugin", []uint16{0}},
	{"grpc.go:106, relayed", answered("grpc", servfail), "upstream_servfail", []uint16{0}},
	{"grpc.go:117, unavailable", errored("grpc", servfail, ev.ConnRefused), "upstream_unreachable", []uint16{23}},
	{"grpc.go:117, deadline", errored("grpc", servfail, ev.Timeout), "upstream_timeout", []uint16{23}},
	{"grpc.go:125, no healthy gRPC proxies", errored("grpc", servfail, ev.NoHealthy), "no_healthy_upstream", []uint16{22}},
	{"cache/handler.go:121, a cached SERVFAIL", with(wroteSite("cache", servfail), func(e *ev.Evidence) { e.CacheHit = true }), "cached_failure", []uint16{13}},
	{"cache/handler.go:56, a bare SERVFAIL is stored with the error from below", below(errored("forward", servfail, ev.Timeout), "cache"), "upstream_timeout", []uint16{23}},
	{"file.go:52, outside the zones", inZone(bareSite("file", refused), ev.ZoneAbsent), "not_authoritative", []uint16{20}},
	{"auto.go:55, outside the zones", inZone(bareSite("auto", refused), ev.ZoneAbsent), "not_authoritative", []uint16{20}},
	{"file.go:58, no zone object", inZone(bareSite("file", servfail), ev.ZoneNotLoaded), "zone_not_loaded", []uint16{14}},
	{"auto.go:65, no zone object", inZone(bareSite("auto", servfail), ev.ZoneNotLoaded), "zone_not_loaded", []uint16{14}},
	{"file.go:63, AXFR without transfer", qtype(inZone(bareSite("file", refused), ev.ZoneLoaded), dns.TypeAXFR), "transfer_denied", []uint16{21}},
	{"auto.go:70, IXFR without transfer", qtype(inZone(bareSite("auto", refused), ev.ZoneLoaded), dns.TypeIXFR), "transfer_denied", []uint16{21}},
	{"kubernetes/handler.go:51, AXFR without transfer", qtype(bareSite("kubernetes", refused), dns.TypeAXFR), "transfer_denied", []uint16{21}},
	{"file.go:97, expired", inZone(bareSite("secondary", servfail), ev.ZoneExpired), "zone_expired", []uint16{24}},
	{"file.go:130, a secondary that was never transferred", inZone(bareSite("secondary", servfail), ev.ZoneNotLoaded), "zone_not_loaded", []uint16{14}},
	{"auto.go:92, a zone without SOA", inZone(bareSite("auto", servfail), ev.ZoneNotLoaded), "zone_not_loaded", []uint16{14}},
	{"lookup.go:390, a CNAME to itself", inZone(bareSite("file", servfail), ev.ZoneLoaded), "zone_loop", []uint16{24}},
	{"lookup.go:123, a DNAME that changes nothing", inZone(bareSite("auto", servfail), ev.ZoneLoaded), "zone_loop", []uint16{24}},
	{"lookup.go:64, more than eight lookups", around(with(inZone(wroteSite("file", servfail), ev.ZoneLoaded), func(e *ev.Evidence) { e.Reply.Alias = true }), inZone(bareSite("file", servfail), ev.ZoneLoaded)), "zone_loop", []uint16{24}},
	{"file.go:133, the CNAME's target failed", around(with(inZone(wroteSite("file", servfail), ev.ZoneLoaded), func(e *ev.Evidence) { e.Reply.Alias = true }), errored("forward", servfail, ev.Timeout)), "cname_target_failed", []uint16{23}},
	{"file.go:133, the target has EDE", around(with(inZone(wroteSite("auto", servfail), ev.ZoneLoaded), func(e *ev.Evidence) { e.Reply.Alias = true }), answered("forward", servfail, 6)), "cname_target_failed", []uint16{6}},
	{"auto.go:95, the target failed in a block without ede", with(inZone(wroteSite("auto", servfail), ev.ZoneLoaded), func(e *ev.Evidence) { e.Reply.Alias = true }), "cname_target_failed", []uint16{0}},
	{"transfer.go:64, over UDP", qtype(bareSite("transfer", refused), dns.TypeAXFR), "transfer_unsupported", []uint16{21}},
	{"transfer.go:75, not in to", qtype(wroteSite("transfer", refused), dns.TypeAXFR), "transfer_denied", []uint16{18}},
	{"transfer.go:84 88, IXFR without exactly one SOA", qtype(bareSite("transfer", servfail), dns.TypeIXFR), "client_malformed", []uint16{0}},
	{"transfer.go:103, no SOA", qtype(errored("transfer", servfail, ev.NoSOA), dns.TypeAXFR), "zone_not_loaded", []uint16{14}},
	{"transfer.go:103, a store that is not open", qtype(errored("transfer", servfail, ev.StoreNotReady), dns.TypeAXFR), "backend_not_ready", []uint16{14}},
	{"clouddns.go:118 150, no zone, or its lookup failed", bareSite("clouddns", servfail), "zone_unusable", []uint16{24}},
	{"route53.go:116 152, no zone, or its lookup failed", bareSite("route53", servfail), "zone_unusable", []uint16{24}},
	{"azure.go:336 371, no zone, or its lookup failed", bareSite("azure", servfail), "zone_unusable", []uint16{24}},
	{"route53.go:152, the target failed", around(bareSite("route53", servfail), errored("forward", servfail, ev.Timeout)), "cname_target_failed", []uint16{23}},
	{"hosts.go:74", bareSite("hosts", servfail), "hosts_miss", []uint16{0}},
	{"hosts.go:74, below rewrite with response rules", below(with(bareSite("hosts", servfail), func(e *ev.Evidence) { e.Shape, e.Reply.Written = ev.Written, true }), "rewrite"), "hosts_miss", []uint16{0}},
	{"template.go:114, no match", with(bareSite("template", servfail), func(e *ev.Evidence) { e.Template = ev.TemplateNoMatch }), "template_nomatch", []uint16{0}},
	{"template.go:121, rcode SERVFAIL", with(bareSite("template", servfail), func(e *ev.Evidence) { e.Template = ev.TemplateRcode }), "template_rcode", []uint16{0}},
	{"template.go:114 or 121, which the Corefile does not tell apart", bareSite("template", servfail), "unknown", []uint16{0}},
	{"template.go:133 146 153, does not execute or gives no record", errored("template", servfail, ev.TemplateFault), "template_error", []uint16{0}},
	{"template.go:165, rcode REFUSED", with(wroteSite("template", refused), func(e *ev.Evidence) { e.Shape, e.Returned = ev.WrittenReturned, true }), "template_rcode", []uint16{0}},
	{"template.go:165, with ederror", with(wroteSite("template", refused), func(e *ev.Evidence) {
		e.Shape, e.Returned, e.Options = ev.WrittenReturned, true, []option.Option{{Code: 20, Text: "not here"}}
	}), "template_rcode", []uint16{20}},
	{"erratic.go:87", bareSite("erratic", servfail), "erratic", []uint16{0}},
	{"acl.go:80", with(wroteSite("acl", refused), func(e *ev.Evidence) { e.Options = []option.Option{{Code: 15}} }), "acl_block", []uint16{15}},
	{"tsig.go:54", wroteSite("tsig", refused), "tsig_required", []uint16{18}},
	{"tsig.go:89, an error from below that is kept", below(with(errored("forward", servfail, ev.Timeout), func(e *ev.Evidence) { e.Shape, e.Reply.Written = ev.Written, true }), "tsig"), "upstream_timeout", []uint16{23}},
	{"dynupdate.go:64, the store cannot be opened", errored("dynupdate", servfail, ev.StoreNotReady), "backend_not_ready", []uint16{14}},
	{"update.go:34, unsigned", updating(wroteSite("dynupdate", refused)), "update_denied", []uint16{18}},
	{"update.go:83 217, a key without permission", updating(signed(wroteSite("dynupdate", refused))), "update_denied", []uint16{18}},
	{"update.go:87 116, more records than a message or the zone may have", updating(signed(wroteSite("dynupdate", refused))), "update_denied", []uint16{18}},
	{"update.go:90 123 127, no store, no zone or no commit", updating(wroteSite("dynupdate", servfail)), "update_failed", []uint16{14}},
	{"rewrite.go:53, an invalid name", errored("rewrite", servfail, ev.InvalidName), "rewrite_invalid_name", []uint16{0}},
	{"rewrite.go:79, writes and returns the error from below", below(with(errored("forward", servfail, ev.Timeout), func(e *ev.Evidence) { e.Shape, e.Reply.Written = ev.WrittenError, true }), "rewrite"), "upstream_timeout", []uint16{23}},
	{"dns64.go:61, no server for the internal lookup", errored("dns64", servfail, ev.InternalLookup), "internal_lookup_failed", []uint16{0}},
	{"siit.go:93, no response to the internal lookup", errored("siit", servfail, ev.InternalLookup), "internal_lookup_failed", []uint16{0}},
	{"dns64.go:65, the A lookup failed", around(below(wroteSite("forward", servfail), "dns64"), answered("forward", servfail, 22)), "upstream_ede", []uint16{22}},
	{"siit.go:99, the AAAA lookup timed out", around(below(wroteSite("forward", servfail), "siit"), errored("forward", servfail, ev.Timeout)), "upstream_timeout", []uint16{23}},
	{"dns64.go:45, no next plugin", ev.Evidence{Rcode: servfail, At: "dns64", Shape: ev.Panicked, Panic: "nil"}, "panic", []uint16{0}},
	{"autopath.go:96, overshot", errored("autopath", servfail, ev.SearchPath), "search_path_failed", []uint16{0}},
	{"autopath.go:114, the first error", below(errored("forward", servfail, ev.Timeout), "autopath"), "upstream_timeout", []uint16{23}},
	{"kubernetes/handler.go:71, not synced", wroteSite("kubernetes", servfail), "backend_not_ready", []uint16{14}},
	{"kubernetes/handler.go:76, any other error", errored("kubernetes", servfail, ev.Other), "backend_error", []uint16{24}},
	{"etcd/handler.go:63", with(errored("etcd", servfail, ev.Timeout), func(e *ev.Evidence) { e.Shape, e.Reply.Written, e.Returned = ev.WrittenError, true, false }), "backend_unreachable", []uint16{23}},
	{"etcd/handler.go:63, an entry that is no JSON", with(errored("etcd", servfail, ev.Other), func(e *ev.Evidence) { e.Shape, e.Reply.Written, e.Returned = ev.WrittenError, true, false }), "backend_error", []uint16{24}},
	{"etcd/handler.go:63, etcd has no leader", with(errored("etcd", servfail, ev.StoreNotReady), func(e *ev.Evidence) { e.Shape, e.Reply.Written, e.Returned = ev.WrittenError, true, false }), "backend_not_ready", []uint16{14}},
	{"nomad.go:114, an empty NOERROR and SERVFAIL", with(bareSite("nomad", servfail), func(e *ev.Evidence) { e.Shape = ev.WrittenReturned }), "backend_unreachable", []uint16{23}},
	{"a plugin that CoreDNS does not ship, silent", bareSite("mystery", refused), "plugin_refused", []uint16{0}},
	{"a plugin that CoreDNS does not ship, which fails silently", bareSite("mystery", servfail), "unknown", []uint16{0}},
	{"a plugin that CoreDNS does not ship, with EDE", with(wroteSite("mystery", refused), func(e *ev.Evidence) { e.Options = []option.Option{{Code: 17, Text: "filtered"}} }), "plugin_ede", []uint16{17}},
	{"a plugin that CoreDNS does not ship, with 0 and no text", with(wroteSite("mystery", refused), func(e *ev.Evidence) { e.Options = []option.Option{{Code: 0}} }), "plugin_ede", []uint16{0}},
	{"a plugin that CoreDNS does not ship, which cannot reach its peer", errored("mystery", servfail, ev.ConnRefused), "remote_unreachable", []uint16{23}},
	{"a plugin that CoreDNS does not ship, whose peer is silent", with(errored("mystery", servfail, ev.Timeout), func(e *ev.Evidence) { e.Failure.Peer = "192.0.2.9:6379" }), "remote_unreachable", []uint16{23}},
	{"a plugin that CoreDNS does not ship, whose own deadline is over", errored("mystery", servfail, ev.Timeout), "upstream_timeout", []uint16{23}},
	{"a plugin that CoreDNS does not ship, whose deadline is over in words alone", worded("mystery", "call: context deadline exceeded"), "upstream_timeout", []uint16{23}},
	{"a plugin that CoreDNS does not ship, which knows of no upstream", worded("mystery", "No healthy host left"), "no_healthy_upstream", []uint16{22}},
	{"a plugin that CoreDNS does not ship, which has not synced", worded("k8s_gateway", "plugin/k8s_gateway: could not sync required resources"), "backend_not_ready", []uint16{14}},
	{"a plugin that CoreDNS does not ship, which has not synced in time", with(worded("mystery", "cache not synced: context deadline exceeded"), func(e *ev.Evidence) { e.Failure.Kind = ev.Timeout }), "backend_not_ready", []uint16{14}},
	{"a plugin that CoreDNS does not ship, asked for a name that says so", worded("mystery", `no record of not\032synced.example.org.`), "unknown", []uint16{0}},
	{"one of CoreDNS, whose error says such a thing", worded("hosts", "not synced"), "unknown", []uint16{0}},
	{"kubernetai, not synced", wroteSite("kubernetai", servfail), "backend_not_ready", []uint16{14}},
	{"kubernetai, any other error", errored("kubernetai", servfail, ev.Other), "backend_error", []uint16{24}},
	{"fanout, timeout", errored("fanout", servfail, ev.Timeout), "upstream_timeout", []uint16{23}},
	{"fanout, timeout in words alone", worded("fanout", "read udp: i/o timeout"), "upstream_timeout", []uint16{23}},
	{"fanout, refused", with(errored("fanout", servfail, ev.ConnRefused), func(e *ev.Evidence) { e.Failure.Peer = "192.0.2.53:53" }), "upstream_unreachable", []uint16{23}},
	{"fanout, given up", errored("fanout", servfail, ev.Canceled), "unknown", []uint16{0}},
	{"dnsredir, no healthy upstream", worded("dnsredir", "no healthy upstream host"), "no_healthy_upstream", []uint16{22}},
	{"alternate, an answer with EDE", with(wroteSite("alternate", servfail), func(e *ev.Evidence) { e.Options = []option.Option{{Code: 22}} }), "upstream_ede", []uint16{22}},
	{"dnsredir, an answer without EDE", wroteSite("dnsredir", servfail), "upstream_servfail", []uint16{0}},
	{"fanout, a REFUSED without EDE", wroteSite("fanout", refused), "upstream_refused", []uint16{0}},
	{"fanout, a REFUSED of nobody", bareSite("fanout", refused), "unknown", []uint16{0}},
	{"a plugin that CoreDNS does not ship, which passes on what came over the wire", with(wroteSite("mystery", servfail), func(e *ev.Evidence) {
		e.Reply.Received, e.Options = true, []option.Option{{Code: 22}}
	}), "upstream_ede", []uint16{22}},
	{"a plugin that CoreDNS does not ship, which passes on a REFUSED", with(wroteSite("mystery", refused), func(e *ev.Evidence) { e.Reply.Received = true }), "upstream_refused", []uint16{0}},
	{"a plugin that CoreDNS does not ship, whose REFUSED may be a resolver's", with(wroteSite("mystery", refused), func(e *ev.Evidence) { e.Reply.RecursionAvailable = true }), "unknown", []uint16{0}},
	{"a plugin of CoreDNS that answers with what came over the wire", with(wroteSite("acl", refused), func(e *ev.Evidence) { e.Reply.Received, e.Options = true, []option.Option{{Code: 15}} }), "acl_block", []uint16{15}},
	{"rewrite, rcode of a good answer", changedBy(wroteSite("forward", refused), "rewrite", dns.RcodeSuccess), "rcode_changed", []uint16{0}},
	{"rewrite, rcode of an upstream's failure", changedBy(answered("forward", refused, 7), "rewrite", servfail), "rcode_changed", []uint16{0, 7}},
	{"firewall, rcode of a failure without a reason", changedBy(answered("forward", servfail), "firewall", refused), "rcode_changed", []uint16{0, 0}},
	{"firewall, rcode of a timeout", changedBy(errored("forward", refused, ev.Timeout), "firewall", servfail), "rcode_changed", []uint16{0, 23}},
	{"firewall, rcode of what nobody knows", changedBy(bareSite("mystery", refused), "firewall", servfail), "rcode_changed", []uint16{0}},
	{"a plugin that CoreDNS does not ship, whose file ends early", errored("mystery", servfail, ev.Closed), "unknown", []uint16{0}},
	{"a plugin that CoreDNS does not ship, which fails to parse", errored("mystery", servfail, ev.Malformed), "unknown", []uint16{0}},
	{"a plugin that CoreDNS does not ship, with an error of its own", errored("mystery", refused, ev.Other), "unknown", []uint16{0}},
	{"a plugin that CoreDNS does not ship, which writes a REFUSED", wroteSite("mystery", refused), "plugin_refused", []uint16{0}},
	{"a plugin that CoreDNS does not ship, which answers with an alias", with(wroteSite("mystery", servfail), func(e *ev.Evidence) { e.Reply.Alias = true }), "unknown", []uint16{0}},
}

func TestTheCauseAndCodesOfEveryEmissionSite(t *testing.T) {
	for _, s := range sites {
		t.Run(s.where, func(t *testing.T) {
			v := Classify(&s.e)
			if v.Cause.ID != s.cause || !slices.Equal(v.Codes(), s.codes) {
				t.Errorf("%s %v, want %s %v", v.Cause.ID, v.Codes(), s.cause, s.codes)
			}
			if v.Text() == "" || len(v.Trace()) == 0 || v.Lasts == "" || v.Owner == "" || v.Advice == "" {
				t.Errorf("the verdict is not complete: %+v", v)
			}
		})
	}
}
