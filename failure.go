package ede

import (
	"net/netip"
	"strings"

	"github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/plugin/pkg/edns"
	"github.com/coredns/coredns/request"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
	"github.com/seed-1b7246af/coredns-ede/plugin/observe"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
	"github.com/seed-1b7246af/coredns-ede/plugin/record"
)

// fill puts into f what is recorded of a failed query.
func fill(f *record.Failure, run *observe.Run, r *dns.Msg, b *block, ev *evidence.Evidence, v *cause.Verdict) {
	ctx, w := run.Context, run.ResponseWriter
	server := metrics.WithServer(ctx)
	f.Verdict = v
	f.Rcode = ev.Rcode
	f.Server = server
	f.View = metrics.WithView(ctx)
	f.Protocol = protocol(server, w)
	f.Client = clientOf(w)
	f.ID = r.Id
	f.Question = ev.Question
	f.Asked = ev.Asked
	f.Duration = ev.Elapsed
	f.Cached = ev.CacheHit
	f.Sent = record.SentYes
	f.Zone = b.servedZone(ev.Name)
	switch {
	case b.shadow:
		f.Sent = record.InShadow
	case !run.Request.HasOPT():
		f.Sent = record.NoEDNS
	}
}

// keyOf is what the failure ev is remembered under: the question as cache keys
// it, or as the client asked it where there is no cache.
func keyOf(id uint64, ev *evidence.Evidence) incident.Key {
	q := ev.CacheQuestion
	if q.Name == "" {
		q = ev.Question
		q.Name = ev.Name
	}
	return incident.Key{Block: id, Name: q.Name, Qtype: q.Qtype, Qclass: q.Qclass, DO: ev.DNSSECOK, CD: ev.CheckingDisabled, Refused: ev.Rcode == dns.RcodeRefused}
}

// protocol is the transport of the listener: CoreDNS takes DoT and DoH to be
// tcp and DoQ to be udp.
func protocol(server string, w dns.ResponseWriter) string {
	if scheme, _, ok := strings.Cut(server, "://"); ok && scheme != "dns" {
		return scheme
	}
	state := request.Request{W: w}
	return state.Proto()
}

func clientOf(w dns.ResponseWriter) netip.AddrPort {
	var client netip.AddrPort
	switch addr := w.RemoteAddr().(type) {
	case nil:
		return netip.AddrPort{}
	case interface{ AddrPort() netip.AddrPort }: // *net.UDPAddr, *net.TCPAddr
		client = addr.AddrPort()
	default:
		var err error
		if client, err = netip.ParseAddrPort(addr.String()); err != nil {
			return netip.AddrPort{}
		}
	}
	return netip.AddrPortFrom(client.Addr().Unmap().WithZone(""), client.Port())
}

// limitOf is the size that the server core will cut the answer to.
func limitOf(w dns.ResponseWriter, r *dns.Msg, req option.Request) int {
	state := request.Request{W: w, Req: r}
	return int(edns.Size(state.Proto(), uint16(req.UDPSize())))
}

// sentOptions are those of opts that fitted into reply.
func sentOptions(reply *dns.Msg, opts []option.Option) []option.Option {
	opt := reply.IsEdns0()
	if opt == nil {
		return nil
	}
	n := 0
	for _, o := range opt.Option {
		if o.Option() == dns.EDNS0EDE {
			n++
		}
	}
	return opts[:min(n, len(opts))]
}

// isProbe recognizes the probes of CoreDNS itself: forward's health check
// (". NS") and loop's HINFO query for two random numbers. They are counted and
// not logged.
func isProbe(q dns.Question) bool {
	if q.Qtype == dns.TypeNS && q.Name == "." {
		return true
	}
	if q.Qtype != dns.TypeHINFO {
		return false
	}
	labels := dns.SplitDomainName(q.Name)
	return len(labels) >= 2 && isNumber(labels[0]) && isNumber(labels[1])
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
