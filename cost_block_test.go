package ede

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	_ "github.com/coredns/coredns/plugin/cache" // the blocks that are measured
	_ "github.com/coredns/coredns/plugin/file"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/template"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/instance"
)

// realBlock is a server block that answers www.example.org.
type realBlock struct {
	from       string
	directives []string
}

func realBlocks(tb testing.TB) []realBlock {
	tb.Helper()
	zone := filepath.Join(tb.TempDir(), "zone")
	text := "example.org. 3600 IN SOA ns.example.org. hostmaster.example.org. 1 3600 600 86400 300\nwww.example.org. 60 IN A 192.0.2.1\n"
	if err := os.WriteFile(zone, []byte(text), 0o644); err != nil {
		tb.Fatal(err)
	}
	return []realBlock{
		{"cache", []string{"loadbalance", "cache 3600", "template ANY ANY {\n answer \"{{ .Name }} 3600 IN A 192.0.2.1\"\n}"}},
		{"file", []string{"loadbalance", "file " + zone + " example.org"}},
	}
}

func (b realBlock) withEde() []string { return append([]string{"ede"}, b.directives...) }

// realChain is chain for a block of real plugins.
func realChain(tb testing.TB, directives []string) plugin.Handler {
	tb.Helper()
	c := caddy.NewTestController("dns", "")
	c.ServerBlockKeys = []string{".:53"}
	for _, text := range directives {
		action, err := caddy.DirectiveAction("dns", strings.Fields(text)[0])
		if err != nil {
			tb.Fatal(err)
		}
		c.Dispenser = caddyfile.NewDispenser("Corefile", strings.NewReader(text))
		if err := action(c); err != nil {
			tb.Fatal(err)
		}
	}
	if err := instance.Parsed(c.Context()); err != nil {
		tb.Fatal(err)
	}
	cfg := dnsserver.GetConfig(c)
	var stack plugin.Handler
	for i := len(cfg.Plugin) - 1; i >= 0; i-- {
		stack = cfg.Plugin[i](stack)
	}
	return stack
}

// asking is one query's way through a real block whose cache has the answer.
func asking(tb testing.TB, directives []string) func() {
	tb.Helper()
	query := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
	query.SetEdns0(1232, false)
	ask := serve(realChain(tb, directives), query)
	ask()
	return ask
}

func TestASuccessFromARealBlockCostsOneAllocation(t *testing.T) {
	for _, block := range realBlocks(t) {
		without := testing.AllocsPerRun(1000, asking(t, block.directives))
		with := testing.AllocsPerRun(1000, asking(t, block.withEde()))
		if with != without+1 {
			t.Errorf("%s: %v allocations with ede, %v without", block.from, with, without)
		}
	}
}

// BenchmarkRealSuccess is a success from cache, and from a zone, in a server block of real
// plugins.
func BenchmarkRealSuccess(b *testing.B) {
	for _, block := range realBlocks(b) {
		for _, bm := range []struct {
			name       string
			directives []string
		}{{"without", block.directives}, {"with", block.withEde()}} {
			b.Run(block.from+"/"+bm.name, func(b *testing.B) {
				ask := asking(b, bm.directives)
				b.ReportAllocs()
				for b.Loop() {
					ask()
				}
			})
		}
	}
}
