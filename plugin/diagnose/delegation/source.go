package delegation

import (
	"context"
	"errors"
	"net/netip"

	"github.com/miekg/dns"
)

// ErrNoServer says that no server of a zone on the way gave a usable reply.
var ErrNoServer = errors.New("no name server of the zone gives a usable answer")

// Source is what the zones' own servers say. It keeps the zones that it has come
// through, so that nothing is asked for twice, and its questions count together
// against [Prober.MaxQueries]. It is for one goroutine.
type Source struct {
	r     *run
	homes map[string]*zone // by name: where a descent to it ended
}

// Source returns a source that ends with ctx.
func (p *Prober) Source(ctx context.Context) *Source {
	return &Source{r: newRun(ctx, p), homes: map[string]*zone{}}
}

// Probe is that of [Prober], with what the source knows already.
func (s *Source) Probe(name string, qtype uint16) Finding {
	if _, ok := dns.IsDomainName(name); !ok || name == "" {
		return s.r.undecided(".", "not a domain name")
	}
	f := s.r.probe(dns.CanonicalName(name), qtype)
	f.Queries = s.Queries()
	f.Steps = s.r.steps
	return f
}

// maxLinks is how many aliases of one name are followed.
const maxLinks = 8

// Follow is Probe, and then that of the alias's target where the servers of name are in
// order and have an alias there: the zone of a target is one that its owner knows nothing
// of, and fails on its own.
func (s *Source) Follow(name string, qtype uint16) Finding {
	f := s.Probe(name, qtype)
	for range maxLinks {
		if f.Kind != Healthy || qtype == dns.TypeCNAME || qtype == dns.TypeANY {
			return f
		}
		m, err := s.Ask(dns.Question{Name: name, Qtype: qtype, Qclass: dns.ClassINET})
		if err != nil {
			return f
		}
		target := targetOf(m, dns.CanonicalName(name))
		if target == "" {
			return f
		}
		name, f = target, s.Probe(target, qtype)
	}
	return f
}

// targetOf is the end of the aliases from name in m, "" if there are none or m goes on to
// records.
func targetOf(m *dns.Msg, name string) string {
	at := name
	for range maxLinks {
		next := ""
		for _, rr := range m.Answer {
			owner := dns.CanonicalName(rr.Header().Name)
			switch rr := rr.(type) {
			case *dns.CNAME:
				if owner == at {
					next = dns.CanonicalName(rr.Target)
				}
			case *dns.DNAME:
				if next == "" && owner != at && owner != "." && dns.IsSubDomain(owner, at) {
					next = dns.Fqdn(at[:len(at)-len(owner)] + dns.CanonicalName(rr.Target))
				}
			default:
				if owner == at && rr.Header().Rrtype != dns.TypeRRSIG {
					return ""
				}
			}
		}
		if next == "" {
			break
		}
		at = next
	}
	if _, ok := dns.IsDomainName(at); at == name || !ok {
		return ""
	}
	return at
}

// Queries is how many questions were sent so far.
func (s *Source) Queries() int {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	return s.r.queries
}

// Ask puts q to the servers of the zone that holds it: for a DS the parent's (RFC
// 4035 section 3.1.4.1). Aliases are not followed. The error wraps ErrNoServer.
func (s *Source) Ask(q dns.Question) (*dns.Msg, error) {
	name := dns.CanonicalName(q.Name)
	way := name
	if q.Qtype == dns.TypeDS && name != "." {
		way = lastLabels(name, dns.CountLabel(name)-1)
	}
	z, ok := s.home(way)
	if !ok {
		return nil, ErrNoServer
	}
	for range maxCuts {
		_, rep, ok := s.r.first(z, name, q.Qtype, true)
		if !ok {
			return nil, ErrNoServer
		}
		if rep.outcome != Refers {
			return rep.msg, nil
		}
		z = s.r.referred(z, rep)
		s.r.zones[z.name] = z
	}
	return nil, ErrNoServer
}

// home is the zone that holds name.
func (s *Source) home(name string) (*zone, bool) {
	if z, ok := s.homes[name]; ok {
		return z, true
	}
	start := s.r.zones["."]
	for n := dns.CountLabel(name); n > 0; n-- {
		if z, ok := s.r.zones[lastLabels(name, n)]; ok {
			start = z
			break
		}
	}
	last, broken, _ := s.r.descend(start, name, true)
	s.r.keep(last)
	if broken {
		return nil, false
	}
	s.homes[name] = last
	return last, true
}

// grant gives a, which never said anything, so many tries in all, and returns how many of
// them are left.
func (r *run) grant(a netip.AddrPort, tries int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.granted[a] = tries
	return max(tries-r.sent[a], 0)
}

// silenceOf is what the last try on a without a reply came to.
func (r *run) silenceOf(a netip.AddrPort) Outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.silence[a]
}

func (r *run) answeredBefore(a netip.AddrPort) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.heard[a]
}
