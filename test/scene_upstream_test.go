package test_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/miekg/dns"
	"google.golang.org/grpc/codes"

	"github.com/seed-1b7246af/coredns-ede/test/certificate"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// How long forward waits for an upstream: soon is for one that never answers,
// patiently for one that answers, or is not there, however busy the machine is.
const (
	soon      = "read_timeout 200ms\n max_connect_attempts 1"
	patiently = "read_timeout 10s\n max_connect_attempts 1"
)

// awaiting is a stage with one upstream behind forward, from which nothing comes.
func awaiting(c upstream.Config, properties ...string) func(*testing.T) stage {
	return reaching(c, append([]string{soon}, properties...)...)
}

// forwardTo is a stage with one upstream behind forward.
func forwardTo(c upstream.Config, properties ...string) func(*testing.T) stage {
	return reaching(c, append([]string{patiently}, properties...)...)
}

// reaching is a stage with one upstream behind forward, which answers however
// busy the machine is.
func reaching(c upstream.Config, properties ...string) func(*testing.T) stage {
	return func(t *testing.T) stage {
		up := upstream.Start(t, c)
		secure := ""
		if up.CAFile() != "" {
			secure = fmt.Sprintf("tls %s\n tls_servername %s", up.CAFile(), certificate.Name)
		}
		properties := append(properties, secure)
		return stage{plugins: forward(up.To(), properties...), upstream: up.Addr()}
	}
}

func forward(to string, properties ...string) string {
	text := "forward . " + to + " {\n"
	for _, p := range properties {
		text += p + "\n"
	}
	return text + "}"
}

// grpcTo is the same with the grpc plugin.
func grpcTo(c upstream.Config) func(*testing.T) stage {
	return func(t *testing.T) stage {
		up := upstream.Start(t, c)
		plugins := "grpc . " + up.Addr()
		if up.CAFile() != "" {
			plugins += fmt.Sprintf(" {\n tls %s\n tls_servername %s\n }", up.CAFile(), certificate.Name)
		}
		return stage{plugins: plugins, upstream: up.Addr()}
	}
}

// closed is a stage with an upstream that does not listen.
func closed(plugins string) func(*testing.T) stage {
	return func(t *testing.T) stage {
		addr := upstream.Closed(t)
		return stage{plugins: fmt.Sprintf(plugins, addr), upstream: addr}
	}
}

func silent(transport upstream.Transport) upstream.Config {
	return upstream.Config{Transport: transport, Handler: upstream.Silent()}
}

var exchangeScenes = []scene{
	timeout("an upstream that never answers over UDP", awaiting(silent(upstream.UDP))),
	timeout("an upstream that never answers over TCP", awaiting(silent(upstream.DNS), "force_tcp")),
	timeout("an upstream that never answers over TLS", awaiting(silent(upstream.TLS))),
	timeout("an upstream that never answers over HTTPS", awaiting(silent(upstream.HTTPS))),
	timeout("an upstream that never answers over QUIC", awaiting(silent(upstream.QUIC))),
	{
		// Of a port where nobody speaks QUIC nothing but the time that passes tells.
		name: "an upstream that does not speak QUIC", cause: "upstream_timeout",
		stage: func(t *testing.T) stage {
			up := upstream.Start(t, silent(upstream.UDP))
			return stage{plugins: forward("quic://"+up.Addr(), "tls_servername "+certificate.Name, "max_connect_attempts 1"), upstream: up.Addr()}
		},
		rcode: "SERVFAIL", at: "forward",
		brief: []string{"23 no reply from the upstream within … s"},
		full:  []string{"23 no reply within … s: {up} timed out"},
	},
	timeout("an upstream that sends less than a header", awaiting(upstream.Config{Transport: upstream.UDP, Handler: upstream.Short()})),
	timeout("an upstream that answers under another id", awaiting(upstream.Config{Transport: upstream.UDP, Handler: upstream.WrongID()})),
	timeout("an upstream that accepts connections and stays mute", awaiting(upstream.Config{Transport: upstream.TCP, Connection: upstream.Mute}, "force_tcp")),
	{
		name: "cancel ends the query while forward waits", cause: "upstream_timeout",
		stage: func(t *testing.T) stage {
			up := upstream.Start(t, silent(upstream.UDP))
			return stage{plugins: "cancel 1s\n" + forward(up.Addr(), "read_timeout 2s"), upstream: up.Addr()}
		},
		rcode: "SERVFAIL", at: "forward",
		brief: []string{"23 no reply from the upstream within … s"},
		full:  []string{"23 no reply within … s: {up} timed out"},
	},

	unreachable("a port where nothing listens, over UDP", closed("forward . %s {\n "+patiently+"\n }"), "forward"),
	unreachable("a port where nothing listens, over TCP", closed("forward . %s {\n force_tcp\n "+patiently+"\n }"), "forward"),
	unreachable("a port where nothing listens, over gRPC", closed("grpc . %s"), "grpc"),
	{
		name: "the last of two upstreams tried decides", cause: "upstream_unreachable",
		stage: func(t *testing.T) stage {
			mute, addr := upstream.Start(t, silent(upstream.UDP)), upstream.Closed(t)
			return stage{plugins: forward(mute.Addr()+" "+addr, "policy sequential", "read_timeout 500ms", "max_connect_attempts 2"), upstream: addr}
		},
		rcode: "SERVFAIL", at: "forward",
		brief: []string{"23 the upstream cannot be reached"},
		full:  []string{"23 {up} refused the connection, 127.0.0.1:… not known to be down"},
	},

	ended("an upstream that closes a TCP connection after the query", forwardTo(upstream.Config{Transport: upstream.TCP, Handler: upstream.HangUp()}, "force_tcp")),
	ended("an upstream that closes a TLS connection after the query", forwardTo(upstream.Config{Transport: upstream.TLS, Handler: upstream.HangUp()})),

	brokenTLS("a certificate of an authority that is not known", forwardTo(upstream.Config{Transport: upstream.TLS, Certificate: certificate.UnknownCA}), "…unknown authority…"),
	brokenTLS("a certificate for another name", forwardTo(upstream.Config{Transport: upstream.TLS, Certificate: certificate.WrongName}), "…certificate is valid for other.example.org, not ns.example.net…"),
	brokenTLS("a certificate that has expired", forwardTo(upstream.Config{Transport: upstream.TLS, Certificate: certificate.Expired}), "…certificate has expired…"),
	tooEarly("a certificate that is not valid yet", forwardTo(upstream.Config{Transport: upstream.TLS, Certificate: certificate.NotYetValid})),
	tooEarly("a certificate that is not valid yet over QUIC", forwardTo(upstream.Config{Transport: upstream.QUIC, Certificate: certificate.NotYetValid})),
	tooEarly("a certificate that is not valid yet over HTTPS", forwardTo(upstream.Config{Transport: upstream.HTTPS, Certificate: certificate.NotYetValid})),
	{
		name: "a link-local upstream without its interface", cause: "upstream_link_local",
		stage: func(*testing.T) stage { return stage{plugins: "forward . fe80::1", upstream: "[fe80::1]:53"} },
		rcode: "SERVFAIL", at: "forward",
		brief: []string{"23 the upstream's address is valid on one link only, and is used without its interface"},
		full:  []string{"23 [fe80::1] is a link-local address and is used without its interface: it can never be reached"},
		log:   line{"owner": "us", "lasts": "persistent"},
	},
	brokenTLS("an upstream that speaks no TLS", forwardTo(upstream.Config{Transport: upstream.TLS, Connection: upstream.Plaintext}), "…first record does not look like a TLS handshake…"),
	brokenTLS("an expired certificate over QUIC", forwardTo(upstream.Config{Transport: upstream.QUIC, Certificate: certificate.Expired}), "…certificate has expired…"),
	brokenTLS("an expired certificate over HTTPS", forwardTo(upstream.Config{Transport: upstream.HTTPS, Certificate: certificate.Expired}), "…certificate has expired…"),

	malformed("octets that are no DNS message", forwardTo(upstream.Config{Transport: upstream.UDP, Handler: upstream.Garbage()})),
	malformed("octets that are no DNS message, over HTTPS", forwardTo(upstream.Config{Transport: upstream.HTTPS, Handler: upstream.Garbage()})),
	malformed("an HTTP error page", forwardTo(upstream.Config{Transport: upstream.HTTPS, Handler: upstream.HTTPStatus(http.StatusInternalServerError)})),

	{
		name: "a gRPC server that rejects the call", cause: "upstream_network",
		stage: grpcTo(upstream.Config{Transport: upstream.GRPC, Handler: upstream.GRPCStatus(codes.PermissionDenied, "not you")}),
		rcode: "SERVFAIL", at: "grpc",
		brief: []string{"23 the exchange with the upstream failed"},
		full:  []string{"23 network error (…not you): {up} failed"},
	},
}

func timeout(name string, stage func(*testing.T) stage) scene {
	return scene{
		name: name, cause: "upstream_timeout", stage: stage, rcode: "SERVFAIL", at: "forward",
		brief: []string{"23 no reply from the upstream within … s"},
		full:  []string{"23 no reply within … s: {up} timed out"},
		log:   line{"ede": "23", "lasts": "transient", "owner": "upstream"},
	}
}

func unreachable(name string, stage func(*testing.T) stage, at string) scene {
	return scene{
		name: name, cause: "upstream_unreachable", stage: stage, rcode: "SERVFAIL", at: at,
		brief: []string{"23 the upstream cannot be reached"},
		full:  []string{"23 {up} refused the connection"},
		log:   line{"ede": "23", "lasts": "transient"},
	}
}

func ended(name string, stage func(*testing.T) stage) scene {
	return scene{
		name: name, cause: "upstream_closed", stage: stage, rcode: "SERVFAIL", at: "forward",
		brief: []string{"23 the upstream closed the connection without an answer"},
		full:  []string{"23 closed without an answer: {up} closed the connection"},
		log:   line{"ede": "23"},
	}
}

func brokenTLS(name string, stage func(*testing.T) stage, reason string) scene {
	return scene{
		name: name, cause: "upstream_tls", stage: stage, rcode: "SERVFAIL", at: "forward",
		brief: []string{"23 TLS to the upstream failed"},
		full:  []string{"23 TLS failed (" + reason},
		log:   line{"ede": "23", "lasts": "persistent"},
	}
}

// tooEarly is an upstream whose certificate begins later than this machine's clock says
// it is.
func tooEarly(name string, stage func(*testing.T) stage) scene {
	sc := brokenTLS(name, stage, "")
	sc.cause = "clock_behind"
	sc.brief = []string{"23 by this server's clock the upstream's certificate is not valid yet"}
	sc.full = []string{"23 by this server's clock the certificate is not valid yet (current time … is before …): …"}
	sc.log["owner"] = "us"
	return sc
}

func malformed(name string, stage func(*testing.T) stage) scene {
	return scene{
		name: name, cause: "upstream_malformed", stage: stage, rcode: "SERVFAIL", at: "forward",
		brief: []string{"23 the upstream's reply does not parse"},
		full:  []string{"23 {up} sent a reply that does not parse"},
		log:   line{"ede": "23"},
	}
}

// answering is an upstream that fails by what it answers.
func answering(h dns.Handler) func(*testing.T) stage {
	return reaching(upstream.Config{Handler: h})
}

func ede(code uint16, text string) dns.EDNS0_EDE {
	return dns.EDNS0_EDE{InfoCode: code, ExtraText: text}
}

const (
	servfail = dns.RcodeServerFailure
	refused  = dns.RcodeRefused
)

var answerScenes = []scene{
	{
		name: "SERVFAIL with a reason", cause: "upstream_ede",
		stage: answering(upstream.Rcode(servfail, true, ede(7, "expired yesterday"))),
		rcode: "SERVFAIL", at: "forward",
		brief: []string{"7 from upstream: expired yesterday"},
		full:  []string{"7 from {up}: expired yesterday"},
		log:   line{"ede": "7"},
	},
	{
		name: "REFUSED with a reason", cause: "upstream_ede",
		stage: answering(upstream.Rcode(refused, true, ede(18, "not your resolver"))),
		rcode: "REFUSED", at: "forward",
		brief: []string{"18 from upstream: not your resolver"},
		full:  []string{"18 from {up}: not your resolver"},
	},
	{
		name: "more reasons than are passed on", cause: "upstream_ede",
		stage: answering(upstream.Rcode(servfail, true, ede(22, "a"), ede(23, "b"), ede(22, "twice"), ede(9, "c"), ede(6, "d"))),
		rcode: "SERVFAIL", at: "forward",
		brief: []string{"22 from upstream: a", "23 from upstream: b", "9 from upstream: c"},
		full:  []string{"22 from {up}: a", "23 from {up}: b", "9 from {up}: c"},
	},
	{
		name: "a reason that is hostile", cause: "upstream_ede",
		stage: answering(upstream.RawEDE(22, []byte("bad\xff\x00 \x1b[31mred\nINJECTED line \u202eabc"))),
		rcode: "SERVFAIL", at: "forward",
		brief: []string{"22 from upstream: bad…red…INJECTED line…abc"},
		full:  []string{"22 from {up}: bad…red…INJECTED line…abc"},
	},
	{
		name: "a reason over gRPC", cause: "upstream_ede",
		stage: grpcTo(upstream.Config{Transport: upstream.GRPC, Handler: upstream.Rcode(servfail, true, ede(22, "at delegation"))}),
		rcode: "SERVFAIL", at: "grpc",
		brief: []string{"22 from upstream: at delegation"},
		full:  []string{"22 from {up}: at delegation"},
	},
	{
		name: "the lookup of dns64 fails for a reason", cause: "upstream_ede",
		stage: func(t *testing.T) stage {
			up := upstream.Start(t, upstream.Config{Handler: aFails(upstream.Rcode(servfail, true, ede(22, "at delegation")))})
			return stage{plugins: "dns64 {\n allow_ipv4\n }\n" + forward(up.Addr()), upstream: up.Addr()}
		},
		message: asked(dns.TypeAAAA),
		rcode:   "SERVFAIL", at: "forward",
		brief: []string{"22 from upstream: at delegation"},
		full:  []string{"22 from {up}: at delegation"},
		log:   line{"qtype": "AAAA"},
	},
	{
		name: "the lookup of siit fails for a reason", cause: "upstream_ede",
		stage: func(t *testing.T) stage {
			up := upstream.Start(t, upstream.Config{Handler: aaaaFails(upstream.Rcode(servfail, true, ede(22, "at delegation")))})
			return stage{plugins: siit + forward(up.Addr()), upstream: up.Addr()}
		},
		rcode: "SERVFAIL", at: "forward",
		brief: []string{"22 from upstream: at delegation"},
		full:  []string{"22 from {up}: at delegation"},
	},
	{
		name: "the lookup of siit is refused", cause: "upstream_refused",
		stage: func(t *testing.T) stage {
			up := upstream.Start(t, upstream.Config{Handler: aaaaFails(upstream.Rcode(refused, true))})
			return stage{plugins: siit + forward(up.Addr()), upstream: up.Addr()}
		},
		rcode: "REFUSED", at: "forward",
		brief: []string{"0 the upstream refused the query (RA=1)…"},
		full:  []string{"0 {up} refused the query (RA=1)…"},
	},
	{
		name: "both upstreams of failover fail", cause: "upstream_ede",
		stage: func(t *testing.T) stage {
			one := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true, ede(6, "one"))})
			two := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true, ede(22, "two"))})
			return stage{plugins: forward(one.Addr()+" "+two.Addr(), "policy sequential", "failover SERVFAIL"), upstream: two.Addr()}
		},
		rcode: "SERVFAIL", at: "forward",
		brief: []string{"22 from upstream: two"}, full: []string{"22 from {up}: two"},
	},
	{
		name: "failover to an upstream that is gone", cause: "upstream_ede",
		stage: func(t *testing.T) stage {
			one := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true, ede(6, "one"))})
			return stage{plugins: forward(one.Addr()+" "+upstream.Closed(t), "policy sequential", "failover SERVFAIL"), upstream: one.Addr()}
		},
		rcode: "SERVFAIL", at: "forward",
		brief: []string{"6 from upstream: one"}, full: []string{"6 from {up}: one"},
	},
	{
		name: "a search path of autopath fails for a reason", cause: "upstream_ede",
		stage: func(t *testing.T) stage {
			up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true, ede(22, "at delegation"))})
			path := textFile(t, "search example.org example.net\nnameserver 192.0.2.53\n")
			return stage{plugins: "autopath . " + path + "\n" + forward(up.Addr()), upstream: up.Addr()}
		},
		rcode: "SERVFAIL", at: "forward",
		brief: []string{"22 from upstream: at delegation"}, full: []string{"22 from {up}: at delegation"},
	},
	{
		name: "a transfer that the upstream refuses", cause: "upstream_refused",
		stage:   answering(upstream.Rcode(refused, false)),
		network: "tcp", message: asked(dns.TypeAXFR), under: "=example.org.",
		rcode: "REFUSED", at: "forward",
		brief: []string{"0 the upstream refused the query (RA=0)…"}, full: []string{"0 {up} refused the query (RA=0)…"},
	},
	{
		name: "SERVFAIL without a reason", cause: "upstream_servfail",
		stage: answering(upstream.Rcode(servfail, true)),
		rcode: "SERVFAIL", at: "forward",
		brief: []string{"0 the upstream answered SERVFAIL without a reason"},
		full:  []string{"0 {up} answered SERVFAIL without a reason"},
		log:   line{"ede": "0", "lasts": "unknown"},
	},
	{
		name: "SERVFAIL to a query without EDNS", cause: "upstream_servfail",
		stage:   answering(upstream.Rcode(servfail, true)),
		message: func(name string) *dns.Msg { return server.Message(name, dns.TypeA) },
		rcode:   "SERVFAIL", at: "forward",
		log: line{"sent": "no_edns", "ede": "0", "text": "… answered SERVFAIL without a reason; asked without EDNS, it cannot say why"},
	},
	{
		name: "REFUSED of an authoritative server", cause: "upstream_refused",
		stage: answering(authority(upstream.Rcode(refused, false))),
		rcode: "REFUSED", at: "forward",
		brief: []string{"0 the upstream refused the query (RA=0, AA=1): access list, authoritative only, or overloaded"},
		full:  []string{"0 {up} refused the query (RA=0, AA=1): access list, authoritative only, or overloaded"},
	},
	{
		name: "a reason over QUIC", cause: "upstream_ede",
		stage: reaching(upstream.Config{Transport: upstream.QUIC, Handler: upstream.Rcode(servfail, true, ede(22, "at delegation"))}),
		rcode: "SERVFAIL", at: "forward",
		brief: []string{"22 from upstream: at delegation"},
		full:  []string{"22 from {up}: at delegation"},
	},
	{
		name: "a code of private use", cause: "upstream_ede",
		stage: answering(upstream.Rcode(servfail, true, ede(49152, "ours"), ede(4711, ""))),
		rcode: "SERVFAIL", at: "forward",
		brief: []string{"49152 from upstream: ours", "4711 from upstream"},
		full:  []string{"49152 from {up}: ours", "4711 from {up}"},
	},
	{
		name: "0 without a text", cause: "upstream_ede",
		stage: answering(upstream.Rcode(servfail, true, ede(0, ""))),
		rcode: "SERVFAIL", at: "forward",
		brief: []string{"0 from upstream"}, full: []string{"0 from {up}"},
	},
	{
		name: "REFUSED with RA", cause: "upstream_refused",
		stage: answering(upstream.Rcode(refused, true)),
		rcode: "REFUSED", at: "forward",
		brief: []string{"0 the upstream refused the query (RA=1): access list, rate limit, or filter"},
		full:  []string{"0 {up} refused the query (RA=1): access list, rate limit, or filter"},
	},
	{
		name: "REFUSED without RA", cause: "upstream_refused",
		stage: answering(upstream.Rcode(refused, false)),
		rcode: "REFUSED", at: "forward",
		brief: []string{"0 the upstream refused the query (RA=0): access list, authoritative only, or overloaded"},
		full:  []string{"0 {up} refused the query (RA=0): access list, authoritative only, or overloaded"},
	},
}

// authority answers as h does, with AA.
func authority(h dns.Handler) dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) { h.ServeDNS(authoritative{w}, m) })
}

type authoritative struct{ dns.ResponseWriter }

func (w authoritative) WriteMsg(m *dns.Msg) error {
	m.Authoritative = true
	return w.ResponseWriter.WriteMsg(m)
}

const siit = "siit {\n eam 192.0.2.1 2001:db8::1\n }\n"

// aaaaFails answers AAAA questions with h and others with NODATA.
func aaaaFails(h dns.Handler) dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		if m.Question[0].Qtype == dns.TypeAAAA {
			h.ServeDNS(w, m)
			return
		}
		_ = w.WriteMsg(new(dns.Msg).SetReply(m))
	})
}

// aFails answers A questions with h and others with NODATA.
func aFails(h dns.Handler) dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		if m.Question[0].Qtype == dns.TypeA {
			h.ServeDNS(w, m)
			return
		}
		upstream.Answer().ServeDNS(w, m)
	})
}
