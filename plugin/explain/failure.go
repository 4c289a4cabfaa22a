package explain

import (
	"net/netip"
	"strings"
	"time"

	"github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/request"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
	"github.com/seed-1b7246af/coredns-ede/plugin/observe"
	"github.com/seed-1b7246af/coredns-ede/plugin/record"
)

// failure returns what is recorded of the failed query r.
func (x *Explainer) failure(run *observe.Run, r *dns.Msg, ev *evidence.Evidence, v *cause.Verdict) *record.Failure {
	server := metrics.WithServer(run.Context)
	zone := x.Block.ServedZone(ev.Name)
	group := incident.ZoneOf(ev.Name, zone)
	if found := v.FoundZone(); found != "" {
		group = found
	}
	if x.Block.Diagnose {
		v = v.InDiagnosis()
	}
	return &record.Failure{
		Time:     time.Now(),
		Verdict:  v,
		Rcode:    ev.Rcode,
		Server:   server,
		Zone:     zone,
		View:     metrics.WithView(run.Context),
		Protocol: protocol(server, run.ResponseWriter),
		Client:   ClientOf(run.ResponseWriter),
		Pod:      x.Client.Pod(run.Context),
		ID:       r.Id,
		Question: ev.Question,
		Asked:    ev.Asked,
		Duration: ev.Elapsed,
		Cached:   ev.CacheHit,
		Sent:     record.SentYes,
		Group:    group,
		Incident: incident.IDOf(v, ev.Rcode, group),
	}
}

// keyOf is what the failure ev is remembered under: the question as cache keys it, or as
// the client asked it where there is no cache. What a plugin above cache made is not
// remembered: it is not what cache will answer with.
func keyOf(id uint64, ev *evidence.Evidence) incident.Key {
	if ev.AboveCache {
		return incident.Key{}
	}
	q := ev.CacheQuestion
	if q.Name == "" {
		q = ev.Question
		q.Name = ev.Name
	}
	return incident.Key{
		Block: id, Name: q.Name, Qtype: q.Qtype, Qclass: q.Qclass,
		DO: ev.DNSSECOK, CD: ev.CheckingDisabled, Refused: ev.Rcode == dns.RcodeRefused,
	}
}

// protocol is the transport of the listener: CoreDNS takes DoT and DoH to be tcp and DoQ
// to be udp.
func protocol(server string, w dns.ResponseWriter) string {
	if scheme, _, ok := strings.Cut(server, "://"); ok && scheme != "dns" {
		return scheme
	}
	state := request.Request{W: w}
	return state.Proto()
}

// ClientOf returns the address of the client behind w, the zero value if it has none.
func ClientOf(w dns.ResponseWriter) netip.AddrPort {
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

// isProbe recognizes the probes of CoreDNS itself: forward's health check (". NS") and
// loop's HINFO query for two random numbers. They are counted and not logged.
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
