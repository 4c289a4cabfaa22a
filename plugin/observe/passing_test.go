package observe

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coredns/coredns/plugin"
	_ "github.com/coredns/coredns/plugin/acl" // the set-ups that tests run
	"github.com/coredns/coredns/plugin/file"
	_ "github.com/coredns/coredns/plugin/header"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/minimal"
	"github.com/coredns/coredns/plugin/secondary"
	"github.com/coredns/coredns/plugin/test"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

const failingTemplate = "template ANY ANY {\n rcode SERVFAIL\n}"

func TestPluginsThatPassEveryQueryOnAreOnThePathWithoutATap(t *testing.T) {
	for _, c := range []struct {
		name       string
		directives []string
		path       []string
		at         string
	}{
		{"on top", []string{"loadbalance", failingTemplate}, []string{"loadbalance", "template"}, "template"},
		{"several", []string{"loadbalance", "header {\n response set ra\n}", failingTemplate}, []string{"loadbalance", "header", "template"}, "template"},
		{
			"between others", []string{"loadbalance", "acl {\n allow\n}", "cache", "header {\n response set ra\n}", failingTemplate},
			[]string{"loadbalance", "acl", "cache", "header", "template"}, "template",
		},
		{"in front of one that refuses", []string{"loadbalance", "acl {\n block\n}", "header {\n response set ra\n}", failingTemplate}, []string{"loadbalance", "acl"}, "acl"},
		{"at the end", []string{"acl {\n allow\n}", "loadbalance"}, []string{"acl", "loadbalance"}, "loadbalance"},
		{"alone", []string{"loadbalance"}, []string{"loadbalance"}, "loadbalance"},
	} {
		b := under(setUp(t, c.directives...))
		e, s := b.fails(t, ask("www.example.org.", dns.TypeA))
		if e.At != c.at || !slices.Equal(e.Path, c.path) || !s.run.whole {
			t.Errorf("%s: at %q, path %v, want %q, %v", c.name, e.At, e.Path, c.at, c.path)
		}
		if top, ok := b.top.(*tap); ok {
			t.Errorf("%s: there is a tap above %s", c.name, top.name)
		}
	}
}

// What cache drops has to be noted below it, whatever is between.
func TestTheOptionsOfAFailureAreNotedBelowCacheAndHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upstream, bg := new(switched), new(background)
		cfg := setUp(t, "loadbalance", "cache {\n prefetch 1 1h 90%\n}", "header {\n response set ra\n}")
		cfg.AddPlugin(func(plugin.Handler) plugin.Handler { return upstream })
		b := under(cfg)
		b.ladder.Background = bg.heard
		for range 2 {
			b.serve(context.Background(), ask("www.example.org.", dns.TypeA))
		}
		time.Sleep(5 * time.Second)
		upstream.breaks(0)
		b.serve(context.Background(), ask("www.example.org.", dns.TypeA))
		synctest.Wait()
		bg.mu.Lock()
		if len(bg.seen) != 1 {
			t.Fatalf("heard of %d failed refreshes", len(bg.seen))
		}
		if e := bg.seen[0]; len(e.Options) != 1 || e.At != "switched" || !slices.Equal(e.Path, []string{"header", "switched"}) {
			t.Errorf("options %v at %s, path %v", e.Options, e.At, e.Path)
		}
		bg.mu.Unlock()
		e, _ := b.fails(t, ask("other.example.org.", dns.TypeA))
		if len(e.Options) != 1 || !slices.Equal(e.Path, []string{"loadbalance", "cache", "header", "switched"}) {
			t.Errorf("options %v, path %v", e.Options, e.Path)
		}
	})
}

// minimal writes when what is below it has returned: what it was given is noted below it all the same.
func TestWhatMinimalWritesIsKnownAboveIt(t *testing.T) {
	for _, c := range []struct {
		above   string
		rcode   int
		changer string
	}{
		{"cache", dns.RcodeServerFailure, ""},
		{"rewrite continue rcode regex (.*) SERVFAIL REFUSED", dns.RcodeRefused, "rewrite"},
	} {
		upstream := new(switched)
		upstream.breaks(0)
		cfg := setUp(t, c.above, "minimal")
		cfg.AddPlugin(func(plugin.Handler) plugin.Handler { return upstream })
		e, _ := under(cfg).fails(t, ask("www.example.org.", dns.TypeA))
		if len(e.Options) != 1 || e.Options[0].Code != 6 || e.Changed.Plugin != c.changer || e.Rcode != c.rcode {
			t.Errorf("%s: options %v, changed %+v, rcode %d", c.above, e.Options, e.Changed, e.Rcode)
		}
	}
}

// The method of secondary is that of file: secondary itself is not on the stack.
func TestAPanicBelowAPluginWithoutATapIsNotItsOwn(t *testing.T) {
	for _, above := range [][]string{{"header {\n response set ra\n}"}, {"loadbalance"}, {"loadbalance", "acl {\n allow\n}"}} {
		cfg := setUp(t, above...)
		cfg.AddPlugin(func(plugin.Handler) plugin.Handler {
			zone := file.NewZone("example.org.", "zone")
			zone.Tree = nil
			zone.SOA = test.SOA("example.org. 60 IN SOA ns.example.org. hostmaster.example.org. 1 3600 600 86400 300")
			return &secondary.Secondary{File: file.File{Zones: file.Zones{Z: map[string]*file.Zone{"example.org.": zone}, Names: []string{"example.org."}}}}
		})
		if e := panics(t, under(cfg)); e.At != "secondary" {
			t.Errorf("%v: at %q (%s)", above, e.At, e.PanicAt)
		}
	}
}

// panics returns the evidence of a query during which a plugin of b panics.
func panics(t *testing.T, b *block) (e *evidence.Evidence) {
	t.Helper()
	query := ask("a.www.example.org.", dns.TypeA)
	run := b.ladder.Begin(context.Background(), new(messages), query)
	defer func() {
		v := recover()
		if v == nil {
			t.Fatal("nothing panicked")
		}
		e = run.Panicked(v)
	}()
	_, _ = b.top.ServeDNS(run, run, query)
	return nil
}

// header does not expect a message that is none.
func TestAPanicOfAPluginWithoutATapIsItsOwn(t *testing.T) {
	for name, directives := range map[string][]string{"on top": {"header {\n response set ra\n}"}, "further down": {"acl {\n allow\n}", "header {\n response set ra\n}"}} {
		cfg := setUp(t, directives...)
		cfg.AddPlugin(func(plugin.Handler) plugin.Handler {
			return &fake{name: "whoami", serve: func(_ *fake, _ context.Context, w dns.ResponseWriter, _ *dns.Msg) (int, error) {
				return dns.RcodeSuccess, w.WriteMsg(nil)
			}}
		})
		if e := panics(t, under(cfg)); e.At != "header" {
			t.Errorf("%s: at %q (%s)", name, e.At, e.PanicAt)
		}
	}
}
