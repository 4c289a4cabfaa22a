package promise_test

import (
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// A refusal by a policy without a reason says so: 0 says nothing without a
// text, however the query came.
func TestARefusalWithoutAReasonSaysSo(t *testing.T) {
	const brief = "this server refused the query and gave no reason"
	server.Capture(t)
	for _, how := range []string{"written", "doubled", "returned"} {
		t.Run(how, func(t *testing.T) {
			s := server.Start(t, here("ede {\n text full 127.0.0.2\n text brief\n }", "blocklist "+how))
			for network, addr := range map[string]string{"udp": s.UDP(), "tcp": s.TCP()} {
				r := server.Query(t, addr, network, server.Message("refused.example.org.", dns.TypeA, server.EDNS()))
				all := server.ExtendedErrors(r)
				if r.Rcode != refused || len(all) != 1 || all[0].InfoCode != 0 || all[0].ExtraText != brief {
					t.Errorf("over %s: got %v, want REFUSED with 0 %q", network, r, brief)
				}
			}
		})
	}
}

// Who may have the full text gets what the log has, of acl's refusal as well.
func TestFullTextIsThatOfTheLog(t *testing.T) {
	logs := server.Capture(t)
	s := server.Start(t, here("ede {\n text full\n log all\n }", "acl {\n block net 127.0.0.0/8\n }\nerrors"))
	for network, addr := range map[string]string{"udp": s.UDP(), "tcp": s.TCP()} {
		m := interest(network + ".acl.example.org.")
		r := server.Query(t, addr, network, m)
		text := field(lineOf(t, logs, m), "text")
		all := server.ExtendedErrors(r)
		if len(all) != 1 || all[0].InfoCode != dns.ExtendedErrorCodeBlocked || text == "" || all[0].ExtraText != text {
			t.Errorf("over %s: the answer has %v, the log %q", network, all, text)
		}
	}
}
