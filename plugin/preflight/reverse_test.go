package preflight

import "testing"

func TestReverseZonesThatAreMisspelt(t *testing.T) {
	for zone, want := range map[string]string{
		"10.in-addr-arpa.":           "10.in-addr.arpa.",
		"10.in.addr.arpa.":           "10.in-addr.arpa.",
		"10.inaddr.arpa.":            "10.in-addr.arpa.",
		"10.in-addr.apra.":           "10.in-addr.arpa.",
		"10.in-adr.arpa.":            "10.in-addr.arpa.",
		"10.in-addr.":                "10.in-addr.arpa.",
		"10.in-addr.arpa.example.":   "10.in-addr.arpa.",
		"2.0.192.arpa.":              "2.0.192.in-addr.arpa.",
		"8.b.d.0.1.0.0.2.ip6.":       "8.b.d.0.1.0.0.2.ip6.arpa.",
		"8.b.d.0.1.0.0.2.ipv6.arpa.": "8.b.d.0.1.0.0.2.ip6.arpa.",
		"8.b.d.0.1.0.0.2.ip6-arpa.":  "8.b.d.0.1.0.0.2.ip6.arpa.",
		"192.168.1.in-addr.arpa.":    "1.168.192.in-addr.arpa.",
		"300.in-addr.arpa.":          "in-addr.arpa.",

		"10.in-addr.arpa.": "", "in-addr.arpa.": "", "ip6.arpa.": "", "arpa.": "", ".": "",
		"0-127.2.0.192.in-addr.arpa.": "", "8.b.d.0.1.0.0.2.ip6.arpa.": "", "168.192.in-addr.arpa.": "",
		"4.4.e164.arpa.": "", "home.arpa.": "", "example.org.": "", "1.example.org.": "", "ip6.example.org.": "", "a.b.example.": "",
	} {
		if got := meantReverse(zone); got != want {
			t.Errorf("%s: %q, want %q", zone, got, want)
		}
	}
}
