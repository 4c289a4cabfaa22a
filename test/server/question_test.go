package server

import (
	"testing"

	"github.com/miekg/dns"
)

func TestOptionsShapeTheQuestion(t *testing.T) {
	local := &dns.EDNS0_LOCAL{Code: 65001, Data: []byte("x")}
	tests := map[string]struct {
		options []Option
		opt     bool
		size    uint16
		do, cd  bool
		local   int
	}{
		"plain":                      {},
		"with EDNS":                  {options: []Option{EDNS()}, opt: true, size: 1232},
		"with DO":                    {options: []Option{DO()}, opt: true, size: 1232, do: true},
		"with CD":                    {options: []Option{CD()}, cd: true},
		"size after DO keeps DO":     {options: []Option{DO(), BufferSize(512)}, opt: true, size: 512, do: true},
		"DO after size keeps size":   {options: []Option{BufferSize(4096), DO()}, opt: true, size: 4096, do: true},
		"options add up, in one OPT": {options: []Option{EDNS(local), EDNS(local)}, opt: true, size: 1232, local: 2},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			m := Message("example.org", dns.TypeA, tc.options...)
			if m.Question[0].Name != "example.org." || !m.RecursionDesired || m.CheckingDisabled != tc.cd {
				t.Errorf("got %v", m)
			}
			opt := m.IsEdns0()
			if (opt != nil) != tc.opt {
				t.Fatalf("OPT %v, want %v", opt != nil, tc.opt)
			}
			if opt == nil {
				return
			}
			if len(m.Extra) != 1 || opt.UDPSize() != tc.size || opt.Do() != tc.do || len(opt.Option) != tc.local {
				t.Errorf("got %v", m.Extra)
			}
		})
	}
}

func TestALookupNeedsExactlyOneListener(t *testing.T) {
	listeners := []Listener{
		{Scheme: "dns", Zones: []string{"example.com.", "example.org."}, UDP: "a"},
		{Scheme: "dns", Zones: []string{"example.net."}, UDP: "b"},
		{Scheme: "tls", Zones: []string{"."}, TCP: "c"},
	}
	tests := map[string]struct {
		scheme string
		zone   []string
		want   string
	}{
		"the only one of its scheme":  {"tls", nil, "c"},
		"by zone":                     {"dns", []string{"example.net"}, "b"},
		"by zone in another case":     {"dns", []string{"EXAMPLE.org."}, "a"},
		"by two zones":                {"dns", []string{"example.com", "example.org"}, "a"},
		"two of the scheme":           {"dns", nil, ""},
		"a zone of another listener":  {"tls", []string{"example.org"}, ""},
		"a scheme that nobody serves": {"quic", nil, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := match(listeners, tc.scheme, tc.zone)
			if (err == nil) != (tc.want != "") || got.UDP+got.TCP != tc.want {
				t.Errorf("got %+v, %v, want %q", got, err, tc.want)
			}
		})
	}
}
