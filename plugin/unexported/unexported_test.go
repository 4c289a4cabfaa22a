package unexported

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/cache"
	"github.com/coredns/coredns/plugin/forward"
	"github.com/coredns/coredns/plugin/grpc"
	"github.com/coredns/coredns/plugin/header"
	"github.com/coredns/coredns/plugin/pkg/proxy"
	"github.com/coredns/coredns/plugin/pkg/transport"
	plugintest "github.com/coredns/coredns/plugin/test"

	"github.com/miekg/dns"
)

// setUp returns the handler that CoreDNS's own set-up makes of a directive. A test that
// fails here after an update of CoreDNS tells which field is gone: what rests on it is
// "not known" until then, and nothing wrong is claimed.
func setUp(t *testing.T, directive string) plugin.Handler {
	t.Helper()
	c := caddy.NewTestController("dns", directive)
	c.Next()
	name := c.Val()
	fresh := caddy.NewTestController("dns", directive)
	build, err := caddy.DirectiveAction("dns", name)
	if err != nil {
		t.Fatal(err)
	}
	if err := build(fresh); err != nil {
		t.Fatal(err)
	}
	chain := dnsserver.GetConfig(fresh).Plugin
	if len(chain) != 1 {
		t.Fatalf("%s made %d plugins", name, len(chain))
	}
	return chain[0](nil)
}

func TestMaxFailsIsReadOfForward(t *testing.T) {
	for directive, want := range map[string]uint32{
		"forward . 192.0.2.53":                    2,
		"forward . 192.0.2.53 {\n max_fails 7\n}": 7,
		"forward . 192.0.2.53 {\n max_fails 0\n}": 0,
	} {
		if got, known := MaxFails(setUp(t, directive).(*forward.Forward)); got != want || !known {
			t.Errorf("%q: %d, known %v, want %d", directive, got, known, want)
		}
	}
}

func TestMaxConcurrentIsReadOfForward(t *testing.T) {
	for directive, want := range map[string]int64{
		"forward . 192.0.2.53":                         0,
		"forward . 192.0.2.53 {\n max_concurrent 3\n}": 3,
	} {
		if got, known := MaxConcurrent(setUp(t, directive).(*forward.Forward)); got != want || !known {
			t.Errorf("%q: %d, known %v, want %d", directive, got, known, want)
		}
	}
}

func TestTheTimesOfACacheAreRead(t *testing.T) {
	for directive, want := range map[string]CacheTimes{
		"cache": {5 * time.Second, time.Hour, 5 * time.Second, 30 * time.Minute, 0},
		"cache 100 {\n success 1000 60 7\n denial 1000 40 6\n serve_stale 2h\n}": {7 * time.Second, time.Minute, 6 * time.Second, 40 * time.Second, 2 * time.Hour},
	} {
		if got, known := Times(setUp(t, directive).(*cache.Cache)); got != want || !known {
			t.Errorf("%q: %+v, known %v, want %+v", directive, got, known, want)
		}
	}
}

func TestWhetherACacheVerifiesIsRead(t *testing.T) {
	for directive, want := range map[string]bool{
		"cache":                                 false,
		"cache {\n serve_stale 1h\n}":           false,
		"cache {\n serve_stale 1h verify\n}":    true,
		"cache {\n serve_stale 1h verify 0\n}":  true,
		"cache {\n serve_stale 1h verify 1s\n}": false,
	} {
		if got := Verifies(setUp(t, directive).(*cache.Cache)); got != want {
			t.Errorf("%q: %v, want %v", directive, got, want)
		}
	}
}

// below is what stands below cache, and answers with the rcode that it is set to. It passes on the
// writers that it is given.
type below struct {
	writers chan dns.ResponseWriter
	rcode   *int
}

func (below) Name() string { return "below" }
func (b below) ServeDNS(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	b.writers <- w
	return dns.RcodeSuccess, w.WriteMsg(new(dns.Msg).SetRcode(r, *b.rcode))
}

// What cache has stored in a miss, a prefetch and the refresh of something stale is read of its
// writer, with header between and without.
func TestWhatCacheHasStoredIsReadOfItsWriter(t *testing.T) {
	const servfail, refused, nothing = dns.RcodeServerFailure, dns.RcodeRefused, -1
	for _, between := range []string{"", "header {\n response set aa\n}"} {
		for _, tc := range []struct {
			name, options string
			wait          time.Duration
			then, want    int
		}{
			{"a prefetch that fails", "prefetch 1 1m 90%", 5 * time.Second, servfail, servfail},
			{"a prefetch that is refused", "prefetch 1 1m 90%", 5 * time.Second, refused, nothing},
			{"something stale", "serve_stale 1h immediate", 15 * time.Second, servfail, nothing},
			{"something stale with prefer_positive", "serve_stale 1h immediate\n serve_stale_policy prefer_positive", 15 * time.Second, servfail, servfail},
			{"a prefetch before it is stale", "prefetch 1 1m 90%\n serve_stale 1h immediate", 5 * time.Second, servfail, servfail},
		} {
			t.Run(tc.name+" "+between, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					rcode := servfail
					c, last := setUp(t, "cache . {\n servfail 10s\n "+tc.options+"\n}").(*cache.Cache), below{make(chan dns.ResponseWriter, 1), &rcode}
					c.Next = last
					if between != "" {
						h := setUp(t, between).(header.Header)
						h.Next = last
						c.Next = h
					}
					ask := func() {
						q := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
						if _, err := c.ServeDNS(t.Context(), &plugintest.ResponseWriter{}, q); err != nil {
							t.Fatal(err)
						}
					}
					stored := func() int {
						synctest.Wait()
						if rcode, ok := Stored(<-last.writers); ok {
							return rcode
						}
						return nothing
					}
					ask()
					if got := stored(); got != servfail {
						t.Errorf("a miss: %d is stored", got)
					}
					ask()
					rcode = tc.then
					time.Sleep(tc.wait)
					ask()
					if got := stored(); got != tc.want {
						t.Errorf("%d is stored, want %d", got, tc.want)
					}
				})
			})
		}
	}
}

func TestAWriterOfAnotherKindStoresNothing(t *testing.T) {
	if _, ok := Stored(&plugintest.ResponseWriter{}); ok {
		t.Error("the writer of a test stores")
	}
}

func TestZoneIsReadOfForwardAndGRPC(t *testing.T) {
	for _, name := range []string{"forward", "grpc"} {
		for _, want := range []string{".", "example.org."} {
			if got, known := Zone(setUp(t, name+" "+want+" 192.0.2.53")); got != want || !known {
				t.Errorf("%s: %q, known %v, want %q", name, got, known, want)
			}
		}
	}
}

// other is a plugin without the fields.
type other struct{ plugin.Handler }

func TestAZoneThatIsNotThereIsNotKnown(t *testing.T) {
	if zone, known := Zone(&other{}); zone != "" || known {
		t.Errorf("%q, known %v", zone, known)
	}
}

func TestAddressesAreReadOfGRPC(t *testing.T) {
	want := []string{"192.0.2.53:443", "[2001:db8::53]:5300"}
	g := setUp(t, "grpc . 192.0.2.53:443 [2001:db8::53]:5300").(*grpc.GRPC)
	if got := Addresses(g); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestProtocolIsReadOfAProxy(t *testing.T) {
	for _, want := range []string{transport.DNS, transport.TLS} {
		p := proxy.NewProxy("forward", "192.0.2.53:53", want)
		if got := Protocol(p); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
