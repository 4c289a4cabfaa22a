package delegation

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func TestTheTargetOfAnAliasIsTheEndOfTheChainInTheAnswer(t *testing.T) {
	long := strings.Repeat("a.", 100)
	for _, tc := range []struct{ name, answer, want string }{
		{"no alias", "www.example.org. 60 IN A 192.0.2.1", ""},
		{"an alias", "www.example.org. 60 IN CNAME Www.Example.Net.", "www.example.net."},
		{"an alias that is answered", "www.example.org. 60 IN CNAME a.example.org.\na.example.org. 60 IN A 192.0.2.1", ""},
		{"a chain, in any order", "a.example.org. 60 IN CNAME b.example.net.\nwww.example.org. 60 IN CNAME a.example.org.", "b.example.net."},
		{"an alias of a subtree", "example.org. 60 IN DNAME example.net.", "www.example.net."},
		{"the name of the alias itself", "www.example.org. 60 IN DNAME example.net.", ""},
		{"an alias of all", ". 60 IN DNAME example.net.", ""},
		{"an alias to nothing", "example.org. 60 IN DNAME .", ""},
		{"a target that is too long", "example.org. 60 IN DNAME " + long + "example.net.\na.example.net. 60 IN A 192.0.2.1", "www." + long + "example.net."},
		{"a circle", "www.example.org. 60 IN CNAME a.example.org.\na.example.org. 60 IN CNAME www.example.org.", ""},
		{"an alias of somebody else", "mail.example.org. 60 IN CNAME a.example.org.", ""},
	} {
		m := new(dns.Msg)
		for line := range strings.Lines(tc.answer) {
			rr, err := dns.NewRR(line)
			if err != nil {
				t.Fatal(err)
			}
			m.Answer = append(m.Answer, rr)
		}
		if got := targetOf(m, "www.example.org."); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}
