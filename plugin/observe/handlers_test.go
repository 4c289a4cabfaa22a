package observe

import (
	"slices"
	"strings"
	"testing"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/auto"
	"github.com/coredns/coredns/plugin/file"
	"github.com/coredns/coredns/plugin/forward"
	"github.com/coredns/coredns/plugin/grpc"
	"github.com/coredns/coredns/plugin/secondary"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/unexported"
	"github.com/seed-1b7246af/coredns-ede/test/port"
)

// handler sets up one directive for real and returns what serves it.
func handler(t *testing.T, directive string) plugin.Handler {
	t.Helper()
	return compile(setUp(t, directive))
}

func TestTheMaxFailsOfTheRealForwardIsRead(t *testing.T) {
	for directive, want := range map[string]uint32{
		"forward . 192.0.2.53":                         2,
		"forward . 192.0.2.53 {\n max_fails 7\n}":      7,
		"forward . 192.0.2.53 {\n max_fails 0\n}":      0,
		"forward example.org 192.0.2.53 198.51.100.53": 2,
	} {
		f := forwardOf(handler(t, directive))
		if f == nil {
			t.Fatalf("%s: forward is no *forward.Forward any more", directive)
		}
		if got, known := unexported.MaxFails(f); got != want || !known {
			t.Errorf("%s: max_fails %d (known: %v), want %d", directive, got, known, want)
		}
	}
}

func TestTheUpstreamsOfRealForwardsInARowAreToldApart(t *testing.T) {
	h := handler(t, "forward example.org 192.0.2.53 192.0.2.54\nforward . tls://198.51.100.53")
	u := newUpstreams(h)
	addrs := func(all []evidence.Upstream) (list []string) {
		for _, up := range all {
			list = append(list, up.Addr)
			if up.Asked {
				list[len(list)-1] += " asked"
			}
			if up.Down {
				t.Errorf("%s is down", up.Addr)
			}
		}
		slices.Sort(list)
		return list
	}
	for asked, want := range map[string][]string{
		"192.0.2.54:53":     {"192.0.2.53:53", "192.0.2.54:53 asked"},
		"198.51.100.53:853": {"198.51.100.53:853 asked"},
		"203.0.113.1:53":    {"192.0.2.53:53", "192.0.2.54:53", "198.51.100.53:853"},
		"":                  {"192.0.2.53:53", "192.0.2.54:53", "198.51.100.53:853"},
	} {
		if got := addrs(u.state(new(Run), nil, asked)); !slices.Equal(got, want) {
			t.Errorf("asked %q: %v, want %v", asked, got, want)
		}
	}
}

func TestAnUpstreamIsDownSinceItWasFirstSeenDown(t *testing.T) {
	var u upstreams
	if since := u.since("192.0.2.53:53", false); !since.IsZero() {
		t.Errorf("up since %v", since)
	}
	first := u.since("192.0.2.53:53", true)
	if again := u.since("192.0.2.53:53", true); first.IsZero() || !again.Equal(first) {
		t.Errorf("down since %v, then %v", first, again)
	}
	u.since("192.0.2.53:53", false)
	if len(u.down) != 0 {
		t.Errorf("%d upstreams remembered as down", len(u.down))
	}
}

func TestTheAddressesOfTheRealGRPCPluginAreRead(t *testing.T) {
	h := handler(t, "grpc . 192.0.2.53:8053 192.0.2.54:8053")
	g, ok := h.(*grpc.GRPC)
	if !ok {
		t.Fatalf("grpc is a %T", h)
	}
	if got, want := unexported.Addresses(g), []string{"192.0.2.53:8053", "192.0.2.54:8053"}; !slices.Equal(got, want) {
		t.Errorf("addresses %v, want %v", got, want)
	}
	if under(setUp(t, "grpc . 192.0.2.53:8053")).ladder.taps[1].upstreams == nil {
		t.Error("the tap above grpc does not know that it asks an upstream")
	}
}

const zoneText = "@ 3600 IN SOA ns.example.org. admin.example.org. 1 7200 3600 1209600 3600\nself IN CNAME self\nwww IN A 192.0.2.1\n"

func zone(t *testing.T) *file.Zone {
	t.Helper()
	z, err := file.Parse(strings.NewReader(zoneText), "example.org.", "db.example.org", 0)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestTheStateOfRealZonesIsRead(t *testing.T) {
	expired := zone(t)
	expired.Expired = true
	zones := func(z *file.Zone) file.File {
		return file.File{Zones: file.Zones{Names: []string{"example.org."}, Z: map[string]*file.Zone{"example.org.": z}}}
	}
	loaded, empty := zones(zone(t)), zones(file.NewZone("example.org.", ""))
	catalog := zones(zone(t))
	catalog.ZoneLookupFunc = func(name string) (string, *file.Zone, bool) {
		return "member.example.", nil, name == "member.example."
	}
	names := &auto.Zones{}
	autoZone := zone(t)
	autoZone.ReloadInterval = 0
	names.Add(autoZone, "example.org.", nil)
	autos := auto.Auto{Zones: names}

	for _, c := range []struct {
		name  string
		h     plugin.Handler
		qname string
		want  evidence.Zone
	}{
		{"loaded", loaded, "WWW.example.org.", evidence.Zone{Name: "example.org.", State: evidence.ZoneLoaded}},
		{"loaded, by pointer", &loaded, "www.example.org.", evidence.Zone{Name: "example.org.", State: evidence.ZoneLoaded}},
		{"absent", loaded, "www.example.net.", evidence.Zone{State: evidence.ZoneAbsent}},
		{"without SOA", &secondary.Secondary{File: empty}, "www.example.org.", evidence.Zone{Name: "example.org.", State: evidence.ZoneNotLoaded}},
		{"expired", &secondary.Secondary{File: zones(expired)}, "www.example.org.", evidence.Zone{Name: "example.org.", State: evidence.ZoneExpired}},
		{"configured without a zone", zones(nil), "www.example.org.", evidence.Zone{Name: "example.org.", State: evidence.ZoneNotLoaded}},
		{"of a lookup function", catalog, "member.example.", evidence.Zone{Name: "member.example.", State: evidence.ZoneNotLoaded}},
		{"absent of a lookup function", catalog, "www.example.org.", evidence.Zone{State: evidence.ZoneAbsent}},
		{"auto, loaded", autos, "www.example.org.", evidence.Zone{Name: "example.org.", State: evidence.ZoneLoaded}},
		{"auto, absent", &autos, "www.example.net.", evidence.Zone{State: evidence.ZoneAbsent}},
		{"auto, nothing loaded", &auto.Auto{Zones: &auto.Zones{}}, "www.example.org.", evidence.Zone{State: evidence.ZoneNone}},
		{"another plugin", underWay("file"), "www.example.org.", evidence.Zone{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := zoneOf(c.h, c.qname); got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

func TestAnUpstreamsMetadataNamesWhoWasAsked(t *testing.T) {
	var _ *forward.Forward // its key of the metadata map is what is read
	for _, withMetadata := range []bool{false, true} {
		up := port.Free(t)
		b := under(setUp(t, "forward . "+up+" {\n max_connect_attempts 1\n}"))
		startForward(t, forwardBelow(b.top))
		e, _ := failsWithin(t, b, withMetadata)
		if e.Upstream != up || e.At != "forward" || e.Failure.Kind == evidence.NoError || len(e.Upstreams) != 1 || !e.Upstreams[0].Asked {
			t.Errorf("metadata %v: upstream %q (%s is configured), kind %v, %+v", withMetadata, e.Upstream, up, e.Failure.Kind, e.Upstreams)
		}
	}
}
