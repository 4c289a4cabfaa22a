package control

import (
	"testing"

	"github.com/miekg/dns"
)

// A resolver may make an answer to a name that it was never asked for.
func TestWhatNoCacheHasIsToldFromWhatACacheCanMake(t *testing.T) {
	const (
		soa    = " IN SOA ns.example. hostmaster.example. 1 2 3 4 900"
		nsec   = "a.org. 900 IN NSEC z.org. A RRSIG NSEC"
		nsec3  = "org. 900 IN NSEC3 1 0 0 - 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A"
		optOut = "org. 900 IN NSEC3 1 1 0 - 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A"
	)
	for name, tc := range map[string]struct {
		records []string
		code    int
		bare    bool // no DNSSEC was spoken
		aa      bool
		want    bool
	}{
		"no denial though DNSSEC is spoken":          {code: dns.RcodeNameError, want: true},
		"no denial, and DNSSEC is not spoken":        {code: dns.RcodeNameError, bare: true},
		"a full SOA, and DNSSEC is not spoken":       {records: []string{"org. 900" + soa}, code: dns.RcodeNameError, bare: true, want: true},
		"an old SOA, and DNSSEC is not spoken":       {records: []string{"org. 600" + soa}, code: dns.RcodeNameError, bare: true},
		"a full SOA with a denial":                   {records: []string{"org. 900" + soa, nsec}, code: dns.RcodeNameError, want: true},
		"an old SOA with a denial":                   {records: []string{"org. 600" + soa, nsec}, code: dns.RcodeNameError},
		"an old SOA with a hashed denial":            {records: []string{"org. 600" + soa, nsec3}, code: dns.RcodeSuccess},
		"an old SOA with an opt-out denial":          {records: []string{"org. 600" + soa, optOut}, code: dns.RcodeNameError, want: true},
		"a SOA with the TTL that its signature says": {records: []string{"org. 3600" + soa, "org. 3600 IN RRSIG SOA 8 1 3600 20261201000000 20261101000000 1 org. AAAA", nsec}, code: dns.RcodeNameError, want: true},
		"a SOA with a TTL that a cache raised":       {records: []string{"org. 1800" + soa, "org. 1800 IN RRSIG SOA 8 1 3600 20261201000000 20261101000000 1 org. AAAA", nsec}, code: dns.RcodeNameError},
		"a copy of the root":                         {records: []string{". 86400 IN SOA a. b. 1 2 3 4 86400", ". 86400 IN NSEC aaa. NS"}, code: dns.RcodeNameError},
		"a TTL too short to tell":                    {records: []string{"org. 5 IN SOA ns.example. hostmaster.example. 1 2 3 4 5", nsec}, code: dns.RcodeNameError},
		"own data":                                   {records: []string{"org. 900" + soa}, code: dns.RcodeNameError, aa: true},
		"a failure":                                  {code: dns.RcodeServerFailure},
	} {
		m := &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: tc.code, Authoritative: tc.aa}}
		for _, text := range tc.records {
			rr, err := dns.NewRR(text)
			if err != nil {
				t.Fatal(err)
			}
			m.Ns = append(m.Ns, rr)
		}
		if !tc.bare {
			m.SetEdns0(1232, true)
		}
		if got := Fetched(m); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestARecordIsNewIfItHasTheTTLThatItsSignatureNames(t *testing.T) {
	for name, tc := range map[string]struct {
		a, sig string
		want   bool
	}{
		"new":              {"www.example.org. 3600 IN A 192.0.2.1", "www.example.org. 3600 IN RRSIG A 8 3 3600 20261201000000 20261101000000 1 example.org. AAAA", true},
		"rounded":          {"www.example.org. 3599 IN A 192.0.2.1", "www.example.org. 3599 IN RRSIG A 8 3 3600 20261201000000 20261101000000 1 example.org. AAAA", true},
		"seconds old":      {"www.example.org. 3597 IN A 192.0.2.1", "www.example.org. 3597 IN RRSIG A 8 3 3600 20261201000000 20261101000000 1 example.org. AAAA", false},
		"raised":           {"www.example.org. 300 IN A 192.0.2.1", "www.example.org. 300 IN RRSIG A 8 3 60 20261201000000 20261101000000 1 example.org. AAAA", false},
		"of the root":      {"org. 3600 IN A 192.0.2.1", "org. 3600 IN RRSIG A 8 1 3600 20261201000000 20261101000000 1 . AAAA", false},
		"another domain's": {"www.example.com. 3600 IN A 192.0.2.1", "www.example.com. 3600 IN RRSIG A 8 3 3600 20261201000000 20261101000000 1 example.com. AAAA", false},
	} {
		m := new(dns.Msg)
		for _, text := range []string{tc.a, tc.sig} {
			rr, err := dns.NewRR(text)
			if err != nil {
				t.Fatal(err)
			}
			m.Answer = append(m.Answer, rr)
		}
		if got := FetchedBelow("org.", m); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
