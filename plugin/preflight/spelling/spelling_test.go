package spelling

import (
	"strings"
	"testing"
)

func TestReverseZonesThatAreMisspelt(t *testing.T) {
	for zone, want := range map[string]string{
		"10.in-addr-arpa.":           "10.in-addr.arpa.",
		"10.in.addr.arpa.":           "10.in-addr.arpa.",
		"10.inaddr.arpa.":            "10.in-addr.arpa.",
		"10.in-addr.apra.":           "10.in-addr.arpa.",
		"10.in-adr.arpa.":            "10.in-addr.arpa.",
		"10.in-addr.":                "10.in-addr.arpa.",
		"10.in-arpa.":                "10.in-addr.arpa.",
		"10.in-addr.arpa.example.":   "10.in-addr.arpa.",
		"2.0.192.arpa.":              "2.0.192.in-addr.arpa.",
		"8.b.d.0.1.0.0.2.ip6.":       "8.b.d.0.1.0.0.2.ip6.arpa.",
		"8.b.d.0.1.0.0.2.ipv6.arpa.": "8.b.d.0.1.0.0.2.ip6.arpa.",
		"8.b.d.0.1.0.0.2.ip6-arpa.":  "8.b.d.0.1.0.0.2.ip6.arpa.",
		"192.168.1.in-addr.arpa.":    "1.168.192.in-addr.arpa.",
		"300.in-addr.arpa.":          "in-addr.arpa.",
		"192.168.1.in-addr-arpa.":    "1.168.192.in-addr.arpa.",
		"192.168.1.arpa.":            "1.168.192.in-addr.arpa.",
		"1.168.192-in-addr.arpa.":    "1.168.192.in-addr.arpa.",
		"10_in-addr.arpa.":           "10.in-addr.arpa.",
		"1.168.192in-addr.arpa.":     "1.168.192.in-addr.arpa.",
		"10.0.0.in-addr.arpa.":       "0.0.10.in-addr.arpa.",
		"192.0.2.0.in-addr.arpa.":    "0.2.0.192.in-addr.arpa.",
		"10.1.250.in-addr.arpa.":     "250.1.10.in-addr.arpa.",
		"192.168.in-addr.arpa.":      "168.192.in-addr.arpa.",
		"192.0.2.0/24.in-addr.arpa.": "in-addr.arpa.",
		"172.16.in-addr.arpa.":       "16.172.in-addr.arpa.",
		"10.244.in-addr.arpa.":       "244.10.in-addr.arpa.",
		"169.254.in-addr.arpa.":      "254.169.in-addr.arpa.",
		"192.0.2.in-addr.arpa.":      "2.0.192.in-addr.arpa.",

		"0/25.0.0.10.in-addr-arpa.": "0/25.0.0.10.in-addr.arpa.", "0-63.192.168.1.in-addr.arpa.": "0-63.1.168.192.in-addr.arpa.",

		"8.b.d.0.1.0.0.2.ip6.int.":        "8.b.d.0.1.0.0.2.ip6.arpa.",
		"2.0.0.1.0.d.b.8.ip6.arpa.":       "8.b.d.0.1.0.0.2.ip6.arpa.",
		"f.d.1.2.3.4.5.6.ip6.arpa.":       "6.5.4.3.2.1.d.f.ip6.arpa.",
		"2001.0db8.ip6.arpa.":             "8.b.d.0.1.0.0.2.ip6.arpa.",
		"2001:db8.ip6.arpa.":              "8.b.d.0.1.0.0.2.ip6.arpa.",
		"2001:db8::.ip6.arpa.":            "8.b.d.0.1.0.0.2.ip6.arpa.",
		"2001.db8.1.ip6.arpa.":            "1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.",
		"0db8.2001.ip6.arpa.":             "ip6.arpa.",
		"2.0.0.1.0.d.b.8.ip6-arpa.":       "8.b.d.0.1.0.0.2.ip6.arpa.",
		"8.b.d.0.1.0.0.2.ip6.arpa.local.": "8.b.d.0.1.0.0.2.ip6.arpa.",

		// Public networks, and those that somebody may have.
		"192.168.203.in-addr.arpa.": "", "172.24.5.in-addr.arpa.": "", "10.20.30.in-addr.arpa.": "", "172.31.in-addr.arpa.": "", "10.96.in-addr.arpa.": "",
		"192.168.10.in-addr.arpa.": "", "192.168.1.192.in-addr.arpa.": "", "20.5.250.in-addr.arpa.": "", "203.0.114.in-addr.arpa.": "",
		"0/25.192.168.203.in-addr.arpa.": "", "128-255.5.24.172.in-addr.arpa.": "", "10.1.10.in-addr.arpa.": "",

		"10.in-addr.arpa.": "", "in-addr.arpa.": "", "ip6.arpa.": "", "arpa.": "", ".": "",
		"0-127.2.0.192.in-addr.arpa.": "", "8.b.d.0.1.0.0.2.ip6.arpa.": "", "168.192.in-addr.arpa.": "",
		"0.in-addr.arpa.": "", "0.0.in-addr.arpa.": "", "255.in-addr.arpa.": "", "255.255.255.255.in-addr.arpa.": "", "0.10.in-addr.arpa.": "",
		"254.169.in-addr.arpa.": "", "2.0.192.in-addr.arpa.": "", "100.51.198.in-addr.arpa.": "", "0.0.224.in-addr.arpa.": "",
		"d.f.ip6.arpa.": "", "8.e.f.ip6.arpa.": "", "b.9.f.f.4.6.0.0.ip6.arpa.": "", "2.0.0.2.ip6.arpa.": "", "3.0.0.0.0.0.0.0.2.ip6.arpa.": "",
		"lb._dns-sd._udp.8.b.d.0.1.0.0.2.ip6.arpa.": "", "0.0.f.5.ip6.arpa.": "", "2.ip6.arpa.": "", "3.2.1.ip6.arpa.": "",
		"4.4.e164.arpa.": "", "home.arpa.": "", "example.org.": "", "1.example.org.": "", "ip6.example.org.": "", "a.b.example.": "",
	} {
		if got := Reverse(zone, Evidence{}); got != want {
			t.Errorf("%s: %q, want %q", zone, got, want)
		}
	}
}

// A network that somebody may have is told only if the Corefile speaks of the other one.
func TestNetworksInTheOtherOrderNeedEvidence(t *testing.T) {
	for _, c := range []struct{ zone, words, file, want string }{
		{"192.168.203.in-addr.arpa.", "192.168.203.53", "", "203.168.192.in-addr.arpa."},
		{"192.168.203.in-addr.arpa.", "tls://192.168.203.53:853 log", "", "203.168.192.in-addr.arpa."},
		{"192.168.203.in-addr.arpa.", "incidr(client_ip(),'192.168.203.0/24')", "", "203.168.192.in-addr.arpa."},
		{"192.168.203.in-addr.arpa.", "", "/etc/coredns/db.192.168.203", "203.168.192.in-addr.arpa."},
		{"192.168.203.in-addr.arpa.", "", "/etc/coredns/192-168-203.zone", "203.168.192.in-addr.arpa."},
		{"192.168.203.in-addr.arpa.", "", "/etc/coredns/192.168.203.in-addr.arpa", ""},
		{"192.168.203.in-addr.arpa.", "192.168.203.53 203.168.192.53", "", ""},
		{"192.168.203.in-addr.arpa.", "192.168.0.0/16 10.0.0.0/8 172.16.0.0/12", "", ""},
		{"192.168.1.in-addr.arpa.", "1.168.192.53", "", ""},
		{"172.24.5.in-addr.arpa.", "172.24.5.1", "", "5.24.172.in-addr.arpa."},
		{"172.24.5.in-addr.arpa.", "5.24.172.1 172.24.5.1", "", ""},
		{"172.24.in-addr.arpa.", "172.24.5.1", "", "24.172.in-addr.arpa."},
		{"10.20.in-addr.arpa.", "", "10-20.zone", "20.10.in-addr.arpa."},
		{"10.20.30.5.in-addr.arpa.", "10.20.30.6", "", "5.30.20.10.in-addr.arpa."},
		{"203.0.114.in-addr.arpa.", "203.0.114.53", "", "114.0.203.in-addr.arpa."},
		{"203.4.in-addr.arpa.", "203.4.113.53", "", ""},
		{"20.5.250.in-addr.arpa.", "20.5.250.1", "", "250.5.20.in-addr.arpa."},
		{"10.168.192.in-addr.arpa.", "10.168.192.1", "", ""},
		{"0/25.192.168.203.in-addr.arpa.", "192.168.203.53", "", "0/25.203.168.192.in-addr.arpa."},
		{"2.0.0.1.0.d.b.8.0.0.0.2.ip6.arpa.", "[2001:db8:2::53]:53", "", "2.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."},
		{"2.0.0.1.0.d.b.8.0.0.0.2.ip6.arpa.", "2001:db8:3::53", "", ""},
	} {
		var n Networks
		for _, word := range strings.Fields(c.words) {
			n.Add(word)
		}
		if c.file != "" {
			n.AddFile(c.file)
		}
		n.Sort()
		if got := Reverse(c.zone, Evidence{Networks: func() Networks { return n }}); got != c.want {
			t.Errorf("%s with %s %s: %q, want %q", c.zone, c.words, c.file, got, c.want)
		}
	}
	for zone, want := range map[string]string{"10.96.in-addr.arpa.": "96.10.in-addr.arpa.", "203.0.114.in-addr.arpa.": ""} {
		if got := Reverse(zone, Evidence{Private: true}); got != want {
			t.Errorf("%s of a cluster: %q, want %q", zone, got, want)
		}
	}
}

func TestZonesWithoutAName(t *testing.T) {
	for zone, fix := range map[string]string{
		"*.lab.example.": "write `lab.example`", "*.": "write `.`", "a.*.lab.example.": "write `lab.example`",
		"10.*.": "write the zone", "dev-*.example.org.": "write `example.org`", "example.org{.": "write `{$NAME}`, or the zone itself, with a space",
		"@.": "write letters", "example.org/.": "write letters", "1.168.192.": "write the network", "192.168.1.1-192.168.1.9.": "write the network",
		"tcp://.": "write `.` alone", "udp://192.0.2.9.": "write the zones as the keys", "TLS://.": "write `tls://.`", "example.org example.net.": "write a space",

		"udp://.": "write `.` alone", "http://example.org.": "write `example.org` alone", "53.": "write a zone before the port, for example `.:53`", "1053.": "write a zone",
		"example.org:53,5353.": "write the zone once for each port", ".:53-55.": "write the zone once", "example.org:domain.": "write `example.org`, alone or", "example.org:5e3.": "write `example.org`",
		"example.org,example.net.": "write a space", "example.org:53,example.net.": "write a space", "example.org;example.net.": "write a space",
		"${zone}.": "write `{$NAME}`", "$zone.": "write `{$NAME}`", "%zone%.": "write `{$NAME}`", "{zone}.example.org.": "write `{$NAME}`",
		"\"example.org\".": "write letters", "(example.org).": "write letters", "bücher.example.": "write `xn--bcher-kva.example`",
	} {
		if why, got := Impossible(zone); why == "" || !strings.HasPrefix(got, fix) {
			t.Errorf("%s: %q, %q, want %q", zone, why, got, fix)
		}
	}
	for _, zone := range []string{
		".", "example.org.", "_tcp.example.org.", "a-b.example.", "xn--bcher-kva.example.", "0/25.2.0.192.in-addr.arpa.", "0-127.2.0.192.in-addr.arpa.",
		"10.in-addr.arpa.", "1.example.", "65536a.", "9a.example.org.", `a\046b.example.`, "a+b.example.", "53.example.",
	} {
		if why, _ := Impossible(zone); why != "" {
			t.Errorf("%s: %s", zone, why)
		}
	}
}
