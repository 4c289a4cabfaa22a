package test_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/transcript"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// hostedZone plays the API of Route 53 for one zone with these records, and has
// the AWS client of CoreDNS ask it. It is for tests that do not run in parallel.
func hostedZone(t *testing.T, records ...string) {
	t.Helper()
	var sets strings.Builder
	for _, r := range records {
		f := strings.SplitN(r, " ", 3)
		fmt.Fprintf(&sets, "<ResourceRecordSet><Name>%s</Name><Type>%s</Type><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>%s</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>", f[0], f[1], f[2])
	}
	const ns = ` xmlns="https://route53.amazonaws.com/doc/2013-04-01/"`
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		if strings.HasSuffix(r.URL.Path, "/hostedzonesbyname") {
			fmt.Fprintf(w, "<ListHostedZonesByNameResponse%s><HostedZones></HostedZones><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></ListHostedZonesByNameResponse>", ns)
			return
		}
		fmt.Fprintf(w, "<ListResourceRecordSetsResponse%s><ResourceRecordSets>%s</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>1000</MaxItems></ListResourceRecordSetsResponse>", ns, sets.String())
	}))
	t.Cleanup(api.Close)
	t.Setenv("AWS_ENDPOINT_URL", api.URL)
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
}

const route53 = "route53 example.org.:Z1"

var apex = []string{
	"example.org. SOA ns.example.org. hostmaster.example.org. 1 3600 600 86400 60",
	"example.org. NS ns.example.org.",
	"self.example.org. CNAME self.example.org.",
	"out.example.org. CNAME target.example.net.",
}

func TestTheZoneOfACloudProviderThatDoesNotAnswerIsTold(t *testing.T) {
	logs := server.Capture(t)
	for name, records := range map[string][]string{"an alias that loops": apex, "no SOA": nil} {
		t.Run(name, func(t *testing.T) {
			hostedZone(t, records...)
			s := server.Start(t, here(".:0", levels, route53))
			m := query("self.example.org")
			expect(t, ask(t, fullClient, "udp", s.UDP(), m), "SERVFAIL", "24 the copy of the zone in plugin route53 has no answer for self.example.org. A: not fetched yet, or faulty")
			expectFields(t, failureOf(t, logs, m), line{"cause": "zone_unusable", "at": "route53", "owner": "us"})
		})
	}
	t.Run("the target of an alias fails", func(t *testing.T) {
		hostedZone(t, apex...)
		addr := upstream.Closed(t)
		s := server.Start(t, here(".:0", levels, route53, forward(addr, patiently)))
		m := query("out.example.org")
		expect(t, ask(t, fullClient, "udp", s.UDP(), m), "SERVFAIL", "23 "+addr+" refused the connection")
		expectFields(t, failureOf(t, logs, m), line{"cause": "cname_target_failed", "at": "route53", "upstream": addr})
	})
	t.Run("example", func(t *testing.T) {
		hostedZone(t, apex...)
		s := server.Start(t, here(".:0", "ede", route53))
		transcript.Check(t, examples, "zone_unusable", transcript.Session{
			Plugins: route53, Addr: s.UDP(), Command: "dig", Args: []string{"self.example.org", dns.TypeToString[dns.TypeA]},
			Line: func(id string) string { return logs.WaitFor(t, " id="+id+" ", patience) },
		}.Take(t))
	})
}
