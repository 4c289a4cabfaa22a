package control

import (
	"testing"

	"github.com/miekg/dns"
)

// A resolver may make an answer to a name or type that it was never asked for.
func TestWhatNoCacheHasIsToldFromWhatACacheCanMake(t *testing.T) {
	const (
		soa    = " IN SOA ns.example. hostmaster.example. 1 2 3 4 900"
		nsec   = "a.org. 900 IN NSEC z.org. A RRSIG NSEC"
		nsec3  = "b.org. 900 IN NSEC3 1 0 0 - 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A"
		optOut = "c.org. 900 IN NSEC3 1 1 0 - 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A"
	)
	name, unused := MadeUp("org."), Unused("org.")
	for what, tc := range map[string]struct {
		of      Question
		records []string
		code    int
		bare    bool // no DNSSEC was spoken
		aa      bool
		want    Freshness
	}{
		"no denial though DNSSEC is spoken":            {of: name, records: []string{"org. 600" + soa}, code: dns.RcodeNameError, want: Fetched},
		"a filter says that there is no name":          {of: name, code: dns.RcodeNameError},
		"a filter says that there is no type":          {of: unused},
		"a filter has an address for all names":        {of: name, records: []string{"aaaaaaaa-ede.org. 60 IN A 192.0.2.1"}},
		"a filter's own SOA":                           {of: unused, records: []string{"rpz.example. 60" + soa}},
		"a type that an unsigned domain does not have": {of: unused, records: []string{"org. 600" + soa}, want: Fetched},
		"a domain that does not exist":                 {of: unused, records: []string{". 600" + soa}, code: dns.RcodeNameError},
		"a name in a domain that does not exist":       {of: name, records: []string{". 600" + soa}, code: dns.RcodeNameError},
		"the same, signed":                             {of: name, records: []string{". 900" + soa, nsec}, code: dns.RcodeNameError},
		"no denial, and DNSSEC is not spoken":          {of: name, code: dns.RcodeNameError, bare: true},
		"a full SOA, and DNSSEC is not spoken":         {of: name, records: []string{"org. 900" + soa}, code: dns.RcodeNameError, bare: true, want: Recent},
		"an old SOA, and DNSSEC is not spoken":         {of: name, records: []string{"org. 600" + soa}, code: dns.RcodeNameError, bare: true},
		"a full SOA with a denial":                     {of: name, records: []string{"org. 900" + soa, nsec}, code: dns.RcodeNameError, want: Recent},
		"a SOA a second old with a denial":             {of: name, records: []string{"org. 899" + soa, nsec}, code: dns.RcodeNameError, want: Denied},
		"an old SOA with a hashed denial":              {of: unused, records: []string{"org. 600" + soa, nsec3}, want: Denied},
		"an old SOA with an opt-out denial":            {of: name, records: []string{"org. 600" + soa, optOut}, code: dns.RcodeNameError, want: Fetched},
		"an old SOA, and one denial is not opt-out":    {of: name, records: []string{"org. 600" + soa, optOut, nsec3}, code: dns.RcodeNameError, want: Denied},
		"an opt-out denial of a type":                  {of: unused, records: []string{"org. 600" + soa, optOut}, want: Denied},
		"a SOA with the TTL that its signature says":   {of: name, records: []string{"org. 3600" + soa, "org. 3600 IN RRSIG SOA 8 1 3600 20261201000000 20261101000000 1 org. AAAA", nsec}, code: dns.RcodeNameError, want: Recent},
		"a SOA with a TTL that a cache raised":         {of: name, records: []string{"org. 1800" + soa, "org. 1800 IN RRSIG SOA 8 1 3600 20261201000000 20261101000000 1 org. AAAA", nsec}, code: dns.RcodeNameError, want: Denied},
		"a new denial, and older copies of the rest":   {of: name, records: []string{"org. 899" + soa, "a.org. 900 IN RRSIG NSEC 8 2 900 20261201000000 20261101000000 1 org. AAAA", nsec}, code: dns.RcodeNameError, want: Recent},
		"a copy of the root":                           {of: Unused("."), records: []string{". 86400 IN SOA a. b. 1 2 3 4 86400", ". 86400 IN NSEC aaa. NS"}},
		"an unsigned root":                             {of: Unused("."), records: []string{". 86400 IN SOA a. b. 1 2 3 4 86400"}, want: Fetched},
		"a TTL too short to tell":                      {of: name, records: []string{"org. 5 IN SOA ns.example. hostmaster.example. 1 2 3 4 5", nsec}, code: dns.RcodeNameError, want: Denied},
		"own data":                                     {of: name, records: []string{"org. 900" + soa}, code: dns.RcodeNameError, aa: true},
		"a failure":                                    {of: name, code: dns.RcodeServerFailure},
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
		if got := FreshnessOf(tc.of, m); got != tc.want {
			t.Errorf("%s: %d, want %d", what, got, tc.want)
		}
	}
}

// One denial must not stand for all names that are made up.
func TestNamesThatAreMadeUpAreFarApart(t *testing.T) {
	first := make(map[byte]bool)
	for range 200 {
		first[MadeUp("org.").message().Question[0].Name[0]] = true
	}
	if len(first) < 10 {
		t.Errorf("they begin with %d letters", len(first))
	}
}
