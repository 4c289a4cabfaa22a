package cause

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// serverSide are the plugins of CoreDNS that are no handlers of queries.
var serverSide = []string{"root", "proxyproto", "quic", "grpc_server", "https", "https3", "timeouts", "multisocket", "reload",
	"bind", "debug", "ready", "health", "pprof", "tls"}

func TestThePluginsThatCoreDNSShipsAreKnown(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/coredns/coredns").Output()
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "plugin.cfg"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"ede": true}
	for line := range strings.Lines(string(cfg)) {
		name, _, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok || strings.HasPrefix(name, "#") || slices.Contains(serverSide, name) {
			continue
		}
		known[name] = true
		if !ev.Stock[name] {
			t.Errorf("%s is taken for a plugin that CoreDNS does not ship", name)
		}
	}
	for name := range ev.Stock {
		if !known[name] {
			t.Errorf("CoreDNS does not ship %s", name)
		}
	}
	for name := range forwards {
		if ev.Stock[name] {
			t.Errorf("CoreDNS ships %s", name)
		}
	}
}

func TestWhatAForeignPluginSendsIsAnUpstreamsOnlyWithProof(t *testing.T) {
	wrote := func(at string, change func(*ev.Evidence)) *ev.Evidence {
		e := wroteSite(at, servfail)
		e.Options = []option.Option{{Code: 22, Text: "x"}}
		change(&e)
		return &e
	}
	none := func(*ev.Evidence) {}
	received := func(e *ev.Evidence) { e.Reply.Received = true }
	for name, tc := range map[string]struct {
		e     *ev.Evidence
		want  bool
		owner Owner
	}{
		"fanout":                    {wrote("fanout", none), true, Nobody},
		"fanout, with an error":     {wrote("fanout", func(e *ev.Evidence) { e.Failure.Kind = ev.Other }), false, Nobody},
		"mystery":                   {wrote("mystery", none), false, Us},
		"mystery, over the wire":    {wrote("mystery", received), true, Nobody},
		"mystery, its own rcode":    {wrote("mystery", func(e *ev.Evidence) { e.Reply.Received, e.Returned = true, true }), false, Us},
		"acl, as if over the wire":  {wrote("acl", func(e *ev.Evidence) { e.Rcode = refused; received(e) }), false, Us},
		"forward":                   {wrote("forward", func(e *ev.Evidence) { e.UpstreamAnswered = true }), true, Nobody},
		"forward, nothing answered": {wrote("forward", none), false, Us},
	} {
		v := Classify(tc.e)
		if SaidByUpstream(tc.e) != tc.want || v.Owner != tc.owner {
			t.Errorf("%s: an upstream's: %v, %s of %s", name, SaidByUpstream(tc.e), v.Cause.ID, v.Owner)
		}
		if v.Statements[0].FromUpstream != tc.want {
			t.Errorf("%s: %+v", name, v.Statements)
		}
	}
	e := errored("fanout", servfail, ev.ConnRefused)
	e.Failure.Peer = "192.0.2.53:53"
	if v := Classify(&e); v.Upstream != "192.0.2.53:53" || v.Text() != "192.0.2.53:53 refused the connection" {
		t.Errorf("%q of %q", v.Text(), v.Upstream)
	}
}

func TestAChangedRcodeIsThatOfWhoChangedIt(t *testing.T) {
	below := answered("forward", refused, 7)
	below.Options[0].Text = "expired"
	e := changedBy(below, "firewall", servfail)
	v := Classify(&e)
	if v.At != "firewall" || v.Owner != Us || v.Upstream != "192.0.2.53:53" || !v.Cause.Policy {
		t.Errorf("%+v", v)
	}
	if want := "firewall changed the answer from SERVFAIL to REFUSED; 7: expired"; v.Text() != want {
		t.Errorf("%q", v.Text())
	}
	trace := strings.Join(v.Trace(), "\n")
	for _, want := range []string{"firewall made REFUSED of SERVFAIL", "before that it failed with upstream_ede"} {
		if !strings.Contains(trace, want) {
			t.Errorf("the trace says nothing of %q:\n%s", want, trace)
		}
	}

	// From cache: what is remembered of the failure below is kept.
	hit := changedBy(with(wroteSite("cache", refused), func(e *ev.Evidence) { e.CacheHit = true }), "rewrite", servfail)
	timedOut := errored("forward", servfail, ev.Timeout)
	known := Classify(&timedOut).FromMemory(found)
	asked := 0
	v = ClassifyWith(&hit, func(e *ev.Evidence) *Verdict {
		asked++
		if e.Rcode != servfail || e.Changed.Plugin != "" {
			t.Errorf("recalled is %+v", e)
		}
		return known
	})
	if opts := v.Options(BriefWords, true, false); asked != 1 || !slices.Equal(codesOf(opts), []uint16{0, 23}) || v.At != "rewrite" {
		t.Errorf("%v, recalled %d times", opts, asked)
	}

	good := changedBy(wroteSite("forward", servfail), "rewrite", dns.RcodeNameError)
	good.Upstream = "192.0.2.53:53"
	if v := Classify(&good); v.Upstream != "" || v.Text() != "rewrite changed the answer from NXDOMAIN to SERVFAIL" {
		t.Errorf("%q, upstream %q", v.Text(), v.Upstream)
	}
	if before := (ev.Changed{}); e.Changed == before || e.Rcode != refused {
		t.Error("the evidence was changed")
	}
}

func TestAPanicIsToldWithItsPlace(t *testing.T) {
	for at, want := range map[string]struct{ at, text string }{
		"plugin/firewall firewall.go:123":       {"firewall", "firewall panicked: fire (at plugin/firewall firewall.go:123)"},
		"github.com/example/x x.go:1":           {"whoami", "whoami panicked: fire (at github.com/example/x x.go:1)"},
		"":                                      {"whoami", "whoami panicked: fire"},
		"plugin/other x.go:1":                   {"whoami", "whoami panicked: fire (at plugin/other x.go:1)"},
		"plugin/ x.go:1":                        {"whoami", "whoami panicked: fire (at plugin/ x.go:1)"},
		"plugin/dns64 dns64.go:45":              {"dns64", "dns64 panicked: fire (at plugin/dns64 dns64.go:45)"},
		"plugin/firewall/rule/src src.go:10000": {"firewall", "firewall panicked: fire (at plugin/firewall/rule/src src.go:10000)"},
	} {
		v := Classify(&ev.Evidence{
			Shape: ev.Panicked, At: "whoami", Panic: "fire", PanicAt: at, Path: []string{"firewall", "dns64", "whoami"},
			Changed: ev.Changed{Plugin: "rewrite", To: servfail},
		})
		if v.At != want.at || v.Text() != want.text || v.Cause != panicked {
			t.Errorf("%q: %s at %q: %q", at, v.Cause.ID, v.At, v.Text())
		}
	}
}
