package upstream_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/test/leak"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"

	"github.com/miekg/dns"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// say starts a server over UDP and TCP with h, and returns its address.
func say(t *testing.T, h dns.Handler) string {
	t.Helper()
	leak.Check(t)
	return upstream.Start(t, upstream.Config{Handler: h}).Addr()
}

func TestAnswerGivesNodataForOtherTypes(t *testing.T) {
	r := server.Ask(t, say(t, upstream.Answer()), "example.org", dns.TypeAAAA)
	if r.Rcode != dns.RcodeSuccess || len(r.Answer) != 0 || len(r.Ns) != 1 || r.Ns[0].Header().Rrtype != dns.TypeSOA {
		t.Errorf("got %v, want NODATA with SOA", r)
	}
	if r.IsEdns0() != nil {
		t.Error("OPT in the answer to a query without one")
	}
}

func TestRcodeSendsEDEOnlyToQueriesWithOPT(t *testing.T) {
	addr := say(t, upstream.Rcode(dns.RcodeRefused, false,
		dns.EDNS0_EDE{InfoCode: 18}, dns.EDNS0_EDE{InfoCode: 20, ExtraText: "not here"}))

	r := server.Ask(t, addr, "example.org", dns.TypeA)
	if r.Rcode != dns.RcodeRefused || r.RecursionAvailable || r.IsEdns0() != nil {
		t.Errorf("without OPT: got %v, want REFUSED, RA=0, no OPT", r)
	}
	r = server.Ask(t, addr, "example.org", dns.TypeA, server.EDNS())
	edes := server.ExtendedErrors(r)
	if len(edes) != 2 || edes[0].InfoCode != 18 || edes[1].InfoCode != 20 || edes[1].ExtraText != "not here" {
		t.Errorf("with OPT: got %v, want 18 and 20 (not here)", edes)
	}
	if r := server.Ask(t, say2(t, upstream.Rcode(dns.RcodeServerFailure, true)), "example.org", dns.TypeA); !r.RecursionAvailable {
		t.Error("RA=0, want 1 as asked for")
	}
}

// say2 is say for a second server in one test, without a second leak check,
// which would count the first server's goroutines.
func say2(t *testing.T, h dns.Handler) string {
	t.Helper()
	return upstream.Start(t, upstream.Config{Handler: h}).Addr()
}

func TestRawEDEKeepsEveryOctet(t *testing.T) {
	text := []byte("a\x00\x1b[31m\xff\xfe\u202eb\r\n")
	edes := server.ExtendedErrors(server.Ask(t, say(t, upstream.RawEDE(49152, text)), "example.org", dns.TypeA, server.EDNS()))
	if len(edes) != 1 || edes[0].InfoCode != 49152 || edes[0].ExtraText != string(text) {
		t.Errorf("got %+q, want 49152 with %+q", edes, text)
	}
}

func TestRawOptionCanBeTooShortForAnEDE(t *testing.T) {
	m := server.Message("example.org", dns.TypeA, server.EDNS())
	packets := server.Packets(t, say(t, upstream.RawOption(dns.EDNS0EDE, []byte{0})), m, 1, silence)
	if len(packets) != 1 {
		t.Fatalf("%d datagrams, want 1", len(packets))
	}
	if err := new(dns.Msg).Unpack(packets[0]); err == nil {
		t.Error("an EDE of one octet parses, want an error")
	}
}

func TestCDDependentAnswersOnlyWithCD(t *testing.T) {
	addr := say(t, upstream.CDDependent())
	if r := server.Ask(t, addr, "example.org", dns.TypeA); r.Rcode != dns.RcodeServerFailure {
		t.Errorf("CD=0: rcode %d, want SERVFAIL", r.Rcode)
	}
	if r := server.Ask(t, addr, "example.org", dns.TypeA, server.CD(), server.DO()); len(r.Answer) != 1 {
		t.Errorf("CD=1: got %v, want an answer", r)
	}
}

func TestFlapAlternates(t *testing.T) {
	addr := say(t, upstream.Flap(upstream.Rcode(dns.RcodeServerFailure, true), upstream.Answer()))
	for i, want := range []int{dns.RcodeServerFailure, dns.RcodeSuccess, dns.RcodeServerFailure} {
		if got := server.Ask(t, addr, "example.org", dns.TypeA).Rcode; got != want {
			t.Errorf("query %d: rcode %d, want %d", i+1, got, want)
		}
	}
}

func TestSilentSaysNothing(t *testing.T) {
	if got := server.Packets(t, say(t, upstream.Silent()), server.Message("example.org", dns.TypeA), 0, silence); len(got) != 0 {
		t.Errorf("%d datagrams, want none", len(got))
	}
}

func TestSlowAnswersLate(t *testing.T) {
	const delay = 50 * time.Millisecond
	addr := say(t, upstream.Slow(delay, upstream.Answer()))
	begin := time.Now()
	if r := server.Ask(t, addr, "example.org", dns.TypeA); len(r.Answer) != 1 {
		t.Errorf("got %v, want an answer", r)
	}
	if took := time.Since(begin); took < delay {
		t.Errorf("answered after %v, want at least %v", took, delay)
	}
}

func TestOctetsThatAreNoMessage(t *testing.T) {
	for name, tc := range map[string]struct {
		h    dns.Handler
		size int
	}{
		"garbage": {upstream.Garbage(), 64},
		"short":   {upstream.Short(), 7},
	} {
		t.Run(name, func(t *testing.T) {
			m := server.Message("example.org", dns.TypeA)
			packets := server.Packets(t, say(t, tc.h), m, 1, silence)
			if len(packets) != 1 || len(packets[0]) != tc.size {
				t.Fatalf("got %x, want one datagram of %d octets", packets, tc.size)
			}
			if id := uint16(packets[0][0])<<8 | uint16(packets[0][1]); id != m.Id {
				t.Errorf("ID %d, want that of the query, %d", id, m.Id)
			}
			if err := new(dns.Msg).Unpack(packets[0]); err == nil {
				t.Error("the octets parse as a message")
			}
		})
	}
}

func TestGarbageReachesTheClientOverEveryTransport(t *testing.T) {
	for transport, ways := range networks {
		t.Run(string(transport), func(t *testing.T) {
			leak.Check(t)
			s := upstream.Start(t, upstream.Config{Transport: transport, Handler: upstream.Garbage()})
			_, err := server.Exchange(s.Addr(), ways[0], server.Message("example.org", dns.TypeA), patience)
			if err == nil || !strings.Contains(err.Error(), "dns: ") {
				t.Errorf("got %v, want an error of the DNS parser", err)
			}
		})
	}
}

func TestAnswersToAnotherQuery(t *testing.T) {
	m := server.Message("example.org", dns.TypeA)
	t.Run("wrong question", func(t *testing.T) {
		r := server.Datagrams(t, say(t, upstream.WrongQuestion()), m, 1, silence)
		if len(r) != 1 || r[0].Id != m.Id || r[0].Question[0].Name == m.Question[0].Name {
			t.Errorf("got %v, want one answer to another question under ID %d", r, m.Id)
		}
	})
	t.Run("wrong ID", func(t *testing.T) {
		r := server.Datagrams(t, say(t, upstream.WrongID()), m, 1, silence)
		if len(r) != 1 || r[0].Id == m.Id || r[0].Question[0].Name != m.Question[0].Name {
			t.Errorf("got %v, want one answer under another ID than %d", r, m.Id)
		}
	})
}

func TestTruncatedIsWholeOverTCP(t *testing.T) {
	addr := say(t, upstream.Truncated())
	if r := server.Ask(t, addr, "example.org", dns.TypeA); !r.Truncated || len(r.Answer) != 0 {
		t.Errorf("over UDP: got %v, want TC and no answer", r)
	}
	if r := server.Ask(t, addr, "example.org", dns.TypeA, server.Over("tcp")); r.Truncated || len(r.Answer) != 1 {
		t.Errorf("over TCP: got %v, want an answer without TC", r)
	}
}

func TestOversizedIgnoresTheClientsSize(t *testing.T) {
	packets := server.Packets(t, say(t, upstream.Oversized()), server.Message("example.org", dns.TypeA), 1, silence)
	if len(packets) != 1 || len(packets[0]) <= 8192 {
		t.Fatalf("%d datagrams, want one above 8192 octets", len(packets))
	}
	m := new(dns.Msg)
	if err := m.Unpack(packets[0]); err != nil || m.Truncated {
		t.Errorf("got %v, TC %v, want a whole message", err, m.Truncated)
	}
}

func TestHangUpComesAfterTheQuery(t *testing.T) {
	for transport, ways := range networks {
		if transport == upstream.DNS || transport == upstream.UDP {
			continue
		}
		t.Run(string(transport), func(t *testing.T) {
			leak.Check(t)
			s := upstream.Start(t, upstream.Config{Transport: transport, Handler: upstream.HangUp()})
			begin := time.Now()
			if r, err := server.Exchange(s.Addr(), ways[0], server.Message("example.org", dns.TypeA), patience); err == nil {
				t.Errorf("got an answer: %v", r)
			}
			if time.Since(begin) >= patience {
				t.Error("the client timed out, want it hung up on")
			}
			if s.Queries() == 0 {
				t.Error("the query did not arrive")
			}
		})
	}
}

func TestStatusInPlaceOfAMessage(t *testing.T) {
	t.Run("HTTP 500", func(t *testing.T) {
		leak.Check(t)
		s := upstream.Start(t, upstream.Config{
			Transport: upstream.HTTPS, Handler: upstream.HTTPStatus(http.StatusInternalServerError),
		})
		_, err := server.Exchange(s.Addr(), "https", server.Message("example.org", dns.TypeA), patience)
		if err == nil || !strings.Contains(err.Error(), "500") {
			t.Errorf("got %v, want HTTP status 500", err)
		}
	})
	t.Run("gRPC ResourceExhausted", func(t *testing.T) {
		leak.Check(t)
		s := upstream.Start(t, upstream.Config{
			Transport: upstream.GRPC, Handler: upstream.GRPCStatus(codes.ResourceExhausted, "too many"),
		})
		_, err := server.Exchange(s.Addr(), "grpc", server.Message("example.org", dns.TypeA), patience)
		if status.Code(err) != codes.ResourceExhausted {
			t.Errorf("got %v, want ResourceExhausted", err)
		}
	})
}
