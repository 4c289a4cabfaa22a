package test_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

const zoneText = `$ORIGIN example.org.
$TTL 60
@      IN SOA   ns hostmaster 1 3600 600 86400 60
@      IN NS    ns
ns     IN A     192.0.2.53
www    IN A     192.0.2.10
self   IN CNAME self
out    IN CNAME target.example.net.
there  IN CNAME back.example.net.
same   IN DNAME same
away   IN DNAME example.net.
`

// zoneFile writes the zone example.org and returns its path.
func zoneFile(t *testing.T) string {
	t.Helper()
	return textFile(t, zoneText)
}

func textFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// zone is a stage that serves the zone example.org from a file.
func zone(format string) func(*testing.T) stage {
	return func(t *testing.T) stage { return stage{plugins: fmt.Sprintf(format, zoneFile(t))} }
}

func plain(plugins string) func(*testing.T) stage {
	return func(*testing.T) stage { return stage{plugins: plugins} }
}

var zoneScenes = []scene{
	{
		name: "a secondary that never had a transfer", cause: "zone_not_loaded",
		stage: func(t *testing.T) stage {
			return stage{
				plugins: "secondary example.com {\n transfer from " + upstream.Closed(t) + "\n }",
				ready:   complained("www.example.com."),
			}
		},
		under: "example.com.",
		rcode: "SERVFAIL", at: "secondary",
		brief: []string{"14 zone example.com. is not loaded yet: the connection is refused"},
		full:  []string{"14 zone example.com. of plugin secondary is not loaded yet; last error …Z: Failed to setup transfer `example.com.' with …: dial tcp …: connect: connection refused"},
		log:   line{"owner": "us"},
	},
	{
		name: "a transfer of a zone that is not loaded", cause: "zone_not_loaded",
		stage: func(t *testing.T) stage {
			return stage{plugins: "transfer {\n to *\n }\nsecondary example.org {\n transfer from " + upstream.Closed(t) + "\n }"}
		},
		network: "tcp", message: asked(dns.TypeAXFR), under: "=example.org.",
		rcode: "SERVFAIL", at: "transfer",
		brief: []string{"14 zone example.org. is not loaded yet"},
		full:  []string{"14 zone example.org. of plugin transfer is not loaded yet"},
	},
	{
		name: "a secondary past its expire time", cause: "zone_expired",
		stage: expiredZone,
		rcode: "SERVFAIL", at: "secondary",
		brief: []string{"24 zone example.net. has expired…"},
		full:  []string{"24 zone example.net. of plugin secondary has expired: no transfer for longer than the EXPIRE value of its SOA; last error …"},
		under: "example.net.",
	},
	{
		name: "a CNAME that points at itself", cause: "zone_loop",
		stage: zone("file %s example.org"), under: "=self.example.org.",
		rcode: "SERVFAIL", at: "file",
		brief: []string{"24 an alias chain in zone example.org. loops or is too long"},
		full:  []string{"24 an alias chain in zone example.org. of plugin file loops or is too long, seen at self.example.org. A"},
		log:   line{"owner": "zone"},
	},
	{
		name: "aliases in a circle through two zones", cause: "zone_loop",
		stage: func(t *testing.T) stage {
			other := strings.NewReplacer("example.org", "example.net", "there ", "back ", "back.example.net", "there.example.org").Replace(zoneText)
			return stage{plugins: "file " + zoneFile(t) + " example.org\nfile " + textFile(t, other) + " example.net"}
		},
		under: "=there.example.org.",
		rcode: "SERVFAIL", at: "file",
		brief: []string{"24 an alias chain in zone example.… loops or is too long"},
		full:  []string{"24 an alias chain in zone example.… of plugin file loops or is too long, seen at …"},
	},
	{
		name: "an alias whose target cannot be resolved", cause: "cname_target_failed",
		stage: func(t *testing.T) stage {
			addr := upstream.Closed(t)
			return stage{plugins: "file " + zoneFile(t) + " example.org\n" + forward(addr, patiently), upstream: addr}
		},
		under: "=out.example.org.",
		rcode: "SERVFAIL", at: "file",
		brief: []string{"23 the upstream cannot be reached"},
		full:  []string{"23 {up} refused the connection"},
	},
	{
		name: "a DNAME that changes nothing", cause: "zone_loop",
		stage: zone("file %s example.org"), under: "=www.same.example.org.",
		rcode: "SERVFAIL", at: "file",
		brief: []string{"24 an alias chain in zone example.org. loops or is too long"},
		full:  []string{"24 an alias chain in zone example.org. of plugin file loops or is too long, seen at www.same.example.org. A"},
	},
	{
		name: "a CNAME that points at itself, in a zone of auto", cause: "zone_loop",
		stage: autoZone, under: "=self.example.org.",
		rcode: "SERVFAIL", at: "auto",
		brief: []string{"24 an alias chain in zone example.org. loops or is too long"},
		full:  []string{"24 an alias chain in zone example.org. of plugin auto loops or is too long, seen at self.example.org. A"},
	},
	aliased("a DNAME whose target cannot be resolved", "file", "=www.away.example.org.", func(t *testing.T) string {
		return "file " + zoneFile(t) + " example.org\n"
	}),
	aliased("an alias of a dynamic zone whose target cannot be resolved", "dynupdate", "=out.example.org.", func(t *testing.T) string {
		return fmt.Sprintf("dynupdate example.org {\n file %s\n allow %s * *\n }\n", zoneFile(t), keyName)
	}),
	{
		name: "a zone file that is not there", cause: "zone_not_loaded",
		stage: func(t *testing.T) stage {
			return stage{plugins: "file " + filepath.Join(t.TempDir(), "none") + " example.org"}
		},
		rcode: "SERVFAIL", at: "file",
		brief: []string{"14 zone example.org. is not loaded yet…"},
		full:  []string{"14 zone example.org. of plugin file is not loaded yet…"},
	},
	{
		name: "a name in no zone of file", cause: "not_authoritative",
		stage: zone("file %s example.org"), under: "example.net.",
		rcode: "REFUSED", at: "file",
		brief: []string{"20"},
		full:  []string{"20 file has no zone for …, and no plugin follows it"},
	},
	{
		name: "a name in no zone of auto", cause: "not_authoritative",
		stage: func(t *testing.T) stage {
			return stage{plugins: "auto example.org {\n directory " + t.TempDir() + "\n }"}
		},
		rcode: "REFUSED", at: "auto",
		brief: []string{"20"},
		full:  []string{"20 auto has loaded no zone at all, and no plugin follows it"},
	},
	{
		name: "the Kubernetes API has not synced", cause: "backend_not_ready",
		stage: func(t *testing.T) stage {
			return stage{plugins: unsyncedKubernetes(t)}
		},
		under: "default.svc.cluster.local.",
		rcode: "SERVFAIL", at: "kubernetes",
		brief: []string{"14 the data source of this server is not ready…"},
		full:  []string{"14 kubernetes is not ready: it has not synced with the Kubernetes API…"},
		log:   line{"owner": "us"},
	},
	{
		name: "the store of a dynamic zone cannot be opened", cause: "backend_not_ready",
		stage: func(t *testing.T) stage { return withoutStore(t, "") },
		rcode: "SERVFAIL", at: "dynupdate",
		brief: []string{"14 the data source of this server is not ready"},
		full:  []string{"14 dynupdate is not ready: …"},
	},
	{
		name: "etcd does not answer", cause: "backend_unreachable",
		stage: func(t *testing.T) stage {
			return stage{plugins: "etcd skydns.local {\n endpoint http://" + upstream.Closed(t) + "\n }"}
		},
		under: "skydns.local.",
		rcode: "SERVFAIL", at: "etcd",
		brief: []string{"23 the data source of this server cannot be reached"},
		full:  []string{"23 etcd cannot reach its data source: context deadline exceeded"},
	},
	{
		name: "nomad does not answer", cause: "backend_unreachable",
		stage: func(t *testing.T) stage {
			return stage{plugins: "nomad service.nomad {\n address http://" + upstream.Closed(t) + "\n }"}
		},
		under: "default.service.nomad.",
		rcode: "SERVFAIL", at: "nomad",
		brief: []string{"23 the data source of this server cannot be reached: the connection is refused"},
		full:  []string{"23 nomad cannot reach its data source: …: connect: connection refused"},
	},
	{
		name: "a name that hosts lacks", cause: "hosts_miss",
		stage: plain("hosts {\n 192.0.2.5 known.example.org\n }"),
		rcode: "SERVFAIL", at: "hosts",
		brief: []string{"0 the name is not in this server's own table of names"},
		full:  []string{"0 hosts has no scene… A and no fallthrough"},
	},
}

// aliased is a scene of an alias into a zone whose upstream is gone.
func aliased(name, at, under string, plugins func(*testing.T) string) scene {
	return scene{
		name: name, cause: "cname_target_failed",
		stage: func(t *testing.T) stage {
			addr := upstream.Closed(t)
			return stage{plugins: plugins(t) + forward(addr, patiently), upstream: addr}
		},
		under: under, rcode: "SERVFAIL", at: at,
		brief: []string{"23 the upstream cannot be reached"},
		full:  []string{"23 {up} refused the connection"},
	}
}

// autoZone serves the zone example.org by auto.
func autoZone(t *testing.T) stage {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "db.example.org"), []byte(zoneText), 0o600); err != nil {
		t.Fatal(err)
	}
	return stage{plugins: "auto example.org {\n directory " + dir + "\n }"}
}

// withoutStore is a dynamic zone whose seed is lost after the load.
func withoutStore(t *testing.T, above string) stage {
	dir := t.TempDir()
	seed := filepath.Join(dir, "seed")
	if err := os.WriteFile(seed, []byte(zoneText), 0o600); err != nil {
		t.Fatal(err)
	}
	return stage{
		plugins: above + fmt.Sprintf("dynupdate example.org {\n file %s\n database %s\n allow %s * *\n }", seed, filepath.Join(dir, "zone"), keyName),
		ready: func(t *testing.T, _ *server.Server) {
			if err := os.Remove(seed); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// expiredZone is a secondary whose primary is gone after the first transfer.
func expiredZone(t *testing.T) stage {
	primary := upstream.Start(t, upstream.Config{Handler: dns.HandlerFunc(transferExpiring)})
	return stage{
		plugins: "secondary example.net {\n transfer from " + primary.Addr() + "\n }",
		ready: func(t *testing.T, s *server.Server) {
			// The zone tells nobody when it is loaded, nor when it expires: ask until it has.
			// It looks at one of its three timers by chance, and rests for up to five seconds
			// after two of them: in one of some hundred runs it takes half a minute.
			until := func(rcode int) {
				for range 1200 {
					m, err := server.Exchange(s.UDP(), "udp", server.Message("www.example.net", dns.TypeA), patience)
					if err == nil && m.Rcode == rcode {
						return
					}
					<-time.After(silence)
				}
				t.Fatalf("the zone is never answered with %s", dns.RcodeToString[rcode])
			}
			until(dns.RcodeSuccess)
			primary.Stop()
			until(dns.RcodeServerFailure)
			complained("www.example.net.")(t, s)
		},
	}
}

// transferExpiring answers with a zone that expires two seconds after its last
// transfer.
func transferExpiring(w dns.ResponseWriter, m *dns.Msg) {
	soa := record("example.net. 60 IN SOA ns.example.net. hostmaster.example.net. 1 1 1 2 60")
	r := new(dns.Msg).SetReply(m)
	r.Answer = []dns.RR{soa}
	if m.Question[0].Qtype == dns.TypeAXFR {
		r.Answer = append(r.Answer, record("www.example.net. 60 IN A 192.0.2.10"), soa)
	}
	_ = w.WriteMsg(r)
}

func record(text string) dns.RR {
	rr, err := dns.NewRR(strings.TrimSpace(text))
	if err != nil {
		panic(err)
	}
	return rr
}
