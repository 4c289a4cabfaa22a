package plugins

import (
	"context"
	"errors"

	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"
)

// parseBlocklist makes a plugin that refuses by a policy and gives no reason: in
// a message, in a message and once more by what it returns, or by the latter
// alone.
func parseBlocklist(args []string) (maker, error) {
	if err := words(args, "written|doubled|returned"); err != nil {
		return nil, err
	}
	how := args[0]
	return func(plugin.Handler) plugin.Handler {
		return end("blocklist", func(w dns.ResponseWriter, r *dns.Msg) (int, error) {
			if how != "returned" {
				_ = w.WriteMsg(new(dns.Msg).SetRcode(r, dns.RcodeRefused))
			}
			if how == "written" {
				return dns.RcodeSuccess, nil
			}
			return dns.RcodeRefused, nil
		})
	}, nil
}

var errUnsynced = errors.New("plugin/k8s_gateway: could not sync required resources")

// parseGateway makes a plugin whose resources of a Kubernetes cluster are not
// there yet, and which fails with an error.
func parseGateway(args []string) (maker, error) {
	return func(plugin.Handler) plugin.Handler {
		return end("k8s_gateway", func(dns.ResponseWriter, *dns.Msg) (int, error) { return dns.RcodeServerFailure, errUnsynced })
	}, words(args)
}

// parseKubernetai makes another one, which writes a message with the SOA of its
// zone, as CoreDNS's own does.
func parseKubernetai(args []string) (maker, error) {
	return func(plugin.Handler) plugin.Handler {
		return end("kubernetai", func(w dns.ResponseWriter, r *dns.Msg) (int, error) {
			m := new(dns.Msg).SetRcode(r, dns.RcodeServerFailure)
			m.Authoritative = true
			m.Ns = []dns.RR{soa(r.Question[0].Name)}
			return dns.RcodeSuccess, w.WriteMsg(m)
		})
	}, words(args)
}

func soa(name string) dns.RR {
	return &dns.SOA{
		Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: ttl},
		Ns:  "ns.example.net.", Mbox: "hostmaster.example.net.", Serial: 1, Refresh: ttl, Retry: ttl, Expire: ttl, Minttl: ttl,
	}
}

// end is a stand-in that asks nobody.
func end(name string, serve func(dns.ResponseWriter, *dns.Msg) (int, error)) plugin.Handler {
	return &handler{name: name, serve: func(_ context.Context, _ plugin.Handler, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		return serve(w, r)
	}}
}
