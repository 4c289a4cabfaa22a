package test_test

import (
	"fmt"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

const tsigOn = "tsig {\n secret " + keyName + " " + keySecret + "\n "

var policyScenes = []scene{
	{
		name: "acl blocks the client", cause: "acl_block",
		stage: plain("acl {\n block net 127.0.0.0/8\n }\nwhoami"),
		rcode: "REFUSED", at: "acl",
		brief: []string{"15"}, full: []string{"15 blocked by acl"},
		log: line{"ede": "15", "text": "blocked by acl", "owner": "us"},
	},
	{
		name: "a query without the signature that tsig requires", cause: "tsig_required",
		stage: plain(tsigOn + "require all\n }\nwhoami"),
		rcode: "REFUSED", at: "tsig",
		brief: []string{"18"}, full: []string{"18 tsig requires a TSIG signature"},
		log: line{"owner": "client"},
	},
	{
		name: "a transfer to a client that is not in to", cause: "transfer_denied",
		stage:   zone("transfer {\n to 192.0.2.1\n }\nfile %s example.org"),
		network: "tcp", message: asked(dns.TypeAXFR), under: "=example.org.",
		rcode: "REFUSED", at: "transfer",
		brief: []string{"18 zone transfer not allowed for this client"},
		full:  []string{"18 zone transfer of example.org. not allowed for this client by transfer"},
	},
	{
		name: "a transfer from a block without transfer", cause: "transfer_denied",
		stage:   zone("file %s example.org"),
		network: "tcp", message: asked(dns.TypeAXFR), under: "=example.org.",
		rcode: "REFUSED", at: "file",
		brief: []string{"21 zone transfer not enabled"},
		full:  []string{"21 zone transfer of example.org. not enabled: the block of file has no transfer plugin"},
	},
	noTransfer("a transfer from a secondary without transfer", "secondary", "example.org.", func(t *testing.T) string {
		return "secondary example.org {\n transfer from " + upstream.Closed(t) + "\n }"
	}),
	noTransfer("a transfer from kubernetes without transfer", "kubernetes", "cluster.local.", func(t *testing.T) string {
		return unsyncedKubernetes(t)
	}),
	noTransfer("a transfer from a dynamic zone without transfer", "dynupdate", "example.org.", func(t *testing.T) string {
		return fmt.Sprintf("dynupdate example.org {\n file %s\n allow %s * *\n }", zoneFile(t), keyName)
	}),
	noTransfer("a transfer from auto without transfer", "auto", "example.org.", func(t *testing.T) string { return autoZone(t).plugins }),
	{
		name: "an IXFR over UDP", cause: "transfer_unsupported",
		stage:   zone("transfer {\n to *\n }\nfile %s example.org"),
		message: asked(dns.TypeIXFR), under: "=example.org.",
		rcode: "REFUSED", at: "transfer",
		brief: []string{"21"}, full: []string{"21 zone transfer over UDP is not supported by transfer"},
	},
	{
		name: "a transfer over UDP", cause: "transfer_unsupported",
		stage:   zone("transfer {\n to *\n }\nfile %s example.org"),
		message: asked(dns.TypeAXFR), under: "=example.org.",
		rcode: "REFUSED", at: "transfer",
		brief: []string{"21"}, full: []string{"21 zone transfer over UDP is not supported by transfer"},
	},
	{
		name: "an IXFR without SOA", cause: "client_malformed",
		stage:   zone("transfer {\n to *\n }\nfile %s example.org"),
		network: "tcp", message: asked(dns.TypeIXFR), under: "=example.org.",
		rcode: "SERVFAIL", at: "transfer",
		brief: []string{"0 the query is malformed: IXFR needs one SOA in its authority section"},
		full:  []string{"0 the query is malformed: IXFR of example.org. needs one SOA in its authority section"},
	},
	{
		name: "an update without a signature", cause: "update_denied",
		stage: zone("dynupdate example.org {\n file %s\n allow k.example. * *\n }"), message: update, under: "=example.org.",
		rcode: "REFUSED", at: "dynupdate",
		brief: []string{"18"},
		full:  []string{"18 dynamic update of example.org. not allowed by dynupdate: it is not signed with a key that tsig has checked"},
	},
	{
		name: "an update with a key that may not", cause: "update_denied",
		stage:   zone(tsigOn + "require_opcode UPDATE\n }\ndynupdate example.org {\n file %s\n allow other.example. * *\n }"),
		message: signedUpdate, under: "=example.org.",
		rcode: "REFUSED", at: "dynupdate",
		brief: []string{"18"}, full: []string{"18 dynamic update of example.org. not allowed by dynupdate: its key has no permission for one of its names or types, or the update exceeds the zone's limits"},
	},
	{
		name: "an update that cannot be stored", cause: "update_failed",
		stage:   func(t *testing.T) stage { return withoutStore(t, tsigOn+"require_opcode UPDATE\n }\n") },
		message: signedUpdate, under: "=example.org.",
		rcode: "SERVFAIL", at: "dynupdate",
		brief: []string{"14 the dynamic update could not be stored…"},
		full:  []string{"14 dynupdate could not store the dynamic update of example.org.…"},
	},
	{
		name: "a template with rcode REFUSED", cause: "template_rcode",
		stage: plain("template ANY ANY {\n rcode REFUSED\n }"),
		rcode: "REFUSED", at: "template",
		brief: []string{"0 answered with REFUSED by configuration"},
		full:  []string{"0 answered with REFUSED by configuration of template"},
	},
	{
		name: "a template with rcode REFUSED and a reason", cause: "template_rcode",
		stage: plain("template ANY ANY {\n rcode REFUSED\n ederror 20 \"not served here\"\n }"),
		rcode: "REFUSED", at: "template",
		brief: []string{"20 not served here"}, full: []string{"20 not served here"},
	},
	{
		name: "a template with rcode SERVFAIL", cause: "template_rcode",
		stage: plain("template ANY ANY {\n rcode SERVFAIL\n ederror 15 \"lost in CoreDNS\"\n }"),
		rcode: "SERVFAIL", at: "template",
		brief: []string{"0 answered with SERVFAIL by configuration"},
		full:  []string{"0 answered with SERVFAIL by configuration of template"},
	},
}

// noTransfer is a scene of a transfer from a plugin whose block has no transfer.
func noTransfer(name, at, zone string, plugins func(*testing.T) string) scene {
	return scene{
		name: name, cause: "transfer_denied",
		stage:   func(t *testing.T) stage { return stage{plugins: plugins(t)} },
		network: "tcp", message: asked(dns.TypeAXFR), under: "=" + zone,
		rcode: "REFUSED", at: at,
		brief: []string{"21 zone transfer not enabled"},
		full:  []string{"21 zone transfer of " + zone + " not enabled: the block of " + at + " has no transfer plugin"},
	}
}

func update(zone string) *dns.Msg {
	m := new(dns.Msg).SetUpdate(zone)
	m.Id = dns.Id()
	m.Insert([]dns.RR{record("new.example.org. 60 IN A 192.0.2.77")})

	m.AuthenticatedData = true
	return m.SetEdns0(1232, false)
}

func signedUpdate(zone string) *dns.Msg { return signed(update(zone)) }
