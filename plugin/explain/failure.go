package explain

import (
	"net/netip"
	"strings"

	"github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/request"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
	"github.com/seed-1b7246af/coredns-ede/plugin/observe"
	"github.com/seed-1b7246af/coredns-ede/plugin/record"
)

// describe makes f what is recorded of the failed query r. f is empty.
func (x *Explainer) describe(f *record.Failure, run *observe.Run, r *dns.Msg, ev *evidence.Evidence, v *cause.Verdict) {
	f.Server, f.View = metrics.WithServer(run.Context), metrics.WithView(run.Context)
	f.Zone = x.Block.ServedZone(ev.Name)
	if f.Group = v.FoundZone(); f.Group == "" {
		f.Group = incident.ZoneOf(ev.Name, f.Zone)
	}
	if x.Block.Diagnose {
		v = v.InDiagnosis()
	}
	f.Time, f.Verdict, f.Rcode = ev.Time, v, ev.Rcode
	f.Protocol, f.Client = protocol(f.Server, run.ResponseWriter), ClientOf(run.ResponseWriter)
	f.Pod = x.Client.Pod(run.Context)
	f.ID, f.Question, f.Asked = r.Id, ev.Question, ev.Asked
	f.Duration, f.Cached = ev.Elapsed, ev.CacheHit
	f.Incident = incident.IDOf(v, ev.Rcode, f.Group)
}

// release gives ev back. Where a verdict may hold it, as one that is shown or is being
// diagnosed does, that is left to the collector.
func (x *Explainer) release(ev *evidence.Evidence) {
	if x.classifiesAlike(ev) {
		ev.Release()
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
// loop's HINFO query for two random numbers. They are counted and not logged. The health check has
// no OPT record: a person who asks the same with dig sends one.
func isProbe(run *observe.Run) bool {
	q := run.Question()
	if q.Qtype == dns.TypeNS && q.Name == "." {
		return !run.Request.HasOPT()
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
