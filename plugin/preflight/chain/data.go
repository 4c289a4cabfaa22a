package chain

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// join copes with plugins that are one handler for all their uses, of which
// only some count.
func (c *Chain) join() {
	fall := make(map[string][]string)
	zones := make(map[string][]string)
	var read *Link
	for i := range c.Links {
		l := &c.Links[i]
		switch l.Name {
		case "file", "secondary": // plugin/file/setup.go, fileParse: one fallthrough, and a zone's last file counts
			fall[l.Name] = append(fall[l.Name], l.Fall...)
			zones[l.Name] = append(zones[l.Name], l.Zones...)
		case "auto", "k8s_external": // the last is read
			for j := range c.Links[:i] {
				if other := &c.Links[j]; other.Name == l.Name {
					other.meet, other.Read = nil, l
					if len(l.Fall) == 0 {
						l.Fall, l.fall = other.Fall, other.fall
					}
				}
			}
		case "etcd": // the first is read
			if read == nil {
				read = l
			} else {
				l.meet, l.handler, l.Read = nil, false, read
			}
		}
	}
	for name, all := range zones {
		group, through := newZoneSet(all), newZoneSet(fall[name])
		taken := make(map[string]bool)
		for i := len(c.Links) - 1; i >= 0; i-- {
			l := &c.Links[i]
			if l.Name != name {
				continue
			}
			l.Fall, l.fall, l.group = fall[name], through, group
			var own []string
			for _, z := range l.Zones {
				if !taken[z] {
					own = append(own, z)
				}
				taken[z] = true
			}
			l.zones = newZoneSet(own)
		}
	}
}

// meetData is a backend that answers NXDOMAIN for what it does not have.
func meetData(c *Chain, i int, q *Question) step {
	l := &c.Links[i]
	switch {
	case !l.zones.has(q.Name):
		return pass
	case !l.fall.has(q.Name):
		return answer
	case q.named || l.zones.holds(q.Name):
		return maybe // the apex
	}
	return passFall
}

// meetFile is plugin/file/file.go, ServeDNS: a name outside of its zones is
// refused if there is no plugin below. The apex is in every zone, but if it has no
// record other than SOA and NS, other types fall through.
func meetFile(c *Chain, i int, q *Question) step {
	l := &c.Links[i]
	switch z := l.group.match(q.Name); {
	case z == "":
		if i == c.last {
			return refuse
		}
		return pass
	case !l.zones.holds(z):
		return pass // another use's
	case !l.fall.has(q.Name):
		return answer
	case q.named || q.Name == z:
		return maybe
	}
	return passFall
}

func meetOpen(*Chain, int, *Question) step { return maybe }

func meetAll(*Chain, int, *Question) step { return answer }

func meetAny(_ *Chain, _ int, q *Question) step {
	if q.Type == dns.TypeANY {
		return answer
	}
	return pass
}

// meetErratic fails other types than these on purpose.
func meetErratic(_ *Chain, _ int, q *Question) step {
	if q.Type == dns.TypeA || q.Type == dns.TypeAAAA {
		return answer
	}
	return meant
}

var chaosNames = newZoneSet([]string{"authors.bind.", "version.bind.", "version.server.", "hostname.bind.", "id.server."})

// meetChaos: nobody asks for these names but in class CH, nor, where nothing else answers,
// for those around them.
func meetChaos(c *Chain, i int, q *Question) step {
	if chaosNames.has(q.Name) || i == c.last && chaosZones.has(q.Name) {
		return meant
	}
	return pass
}

var chaosZones = newZoneSet([]string{"bind.", "server."})

var localZones = newZoneSet([]string{"localhost.", "0.in-addr.arpa.", "127.in-addr.arpa.", "255.in-addr.arpa."})

func meetLocal(_ *Chain, _ int, q *Question) step {
	if localZones.has(q.Name) || strings.HasPrefix(q.Name, "localhost.") {
		return answer
	}
	return pass
}

// prepareForward reads the zone of forward and grpc, of a CIDR's zones the first.
func prepareForward(l *Link) {
	args := l.Args()
	if len(args) > 0 {
		l.Zones = ZonesOf(args[:1], nil)
		l.Zones = l.Zones[:min(1, len(l.Zones))]
	}
	for _, line := range l.Lines[min(1, len(l.Lines)):] {
		if len(line) > 1 && line[0] == "except" {
			l.Except = append(l.Except, ZonesOf(line[1:], nil)...)
		}
	}
}

// meetForward is plugin/forward/forward.go, ServeDNS. What next passes on goes
// to a forward that follows at once.
func meetForward(c *Chain, i int, q *Question) step {
	l := &c.Links[i]
	switch {
	case !l.zones.has(q.Name):
		return pass
	case l.excepts(q.Name) && !l.zones.holds(q.Name):
		return passExcept
	}
	_, next := l.Option("next")
	_, nodata := l.Option("next_on_nodata")
	if (next || nodata) && i+1 < len(c.Links) && c.Links[i+1].Name == l.Name {
		return maybe
	}
	return answer
}

// Sent is q as an upstream is asked it.
func (q Question) Sent() Question { return Question{Name: q.Name, Type: q.Type, named: q.named} }

// Recodes reports whether a rule of rewrite makes another rcode of a SERVFAIL.
func (l *Link) Recodes() bool { return l.rewrite != nil && l.rewrite.servfails }

// Records reports whether an answer of l to q may have records of the name of q, and none
// of from.
func (l *Link) Records(q Question, from string) bool {
	switch {
	case l.Name == "kubernetes":
		return slices.ContainsFunc(l.Zones, func(z string) bool { return object(z, q.Name) })
	case l.template != nil:
		return l.writes(q, from)
	case l.hosts != nil && l.hosts.lines[q.Name] != nil:
		return slices.Contains(l.hosts.lines[q.Name].types, q.Type)
	}
	return (l.Answers || l.Name == "auto") && l.Name != "whoami"
}

// object reports whether name may be that of a Service or Pod of Kubernetes, or of what
// is behind a Service (plugin/kubernetes/parse.go, parseRequest).
func object(zone, name string) bool {
	below := dns.CountLabel(name) - dns.CountLabel(zone)
	if !inside(zone, name) || below < 3 || below > 4 {
		return false
	}
	kind := dns.SplitDomainName(name)[below-1]
	return kind == "svc" || kind == "pod"
}

// ErrSpecial is the error of ReadFile for a pipe or a device: to read it may block, and takes
// away what CoreDNS is to read.
var ErrSpecial = errors.New("not a regular file")

// maxFile is how many octets of a file ReadFile returns.
const maxFile = 4 << 20

// ReadFile returns the beginning of a regular file that the Corefile names.
func ReadFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() && !info.IsDir() { // to read a directory is an error of its own
		return nil, ErrSpecial
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile))
}
