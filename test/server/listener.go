package server

import (
	"cmp"
	"fmt"
	"net"
	"reflect"
	"slices"
	"strings"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/plugin/pkg/transport"

	"github.com/miekg/dns"
)

// Listener is one address that an instance serves: all server blocks with the
// same scheme, bind address and port share one.
type Listener struct {
	Scheme string   // dns, tls, https, https3, quic or grpc
	Zones  []string // fully qualified, sorted
	UDP    string   // host:port, empty if it serves no UDP
	TCP    string   // host:port, empty if it serves no TCP
}

// inspect reads the listeners of an instance, sorted by scheme and zones.
// Caddy hands out addresses only, so what belongs to them is read by
// reflection from dnsserver.Server's fields Addr and zones.
func inspect(instance *caddy.Instance) ([]Listener, error) {
	var listeners []Listener
	for _, l := range instance.Servers() {
		server := reflect.ValueOf(l).FieldByName("server")
		for server.IsValid() && (server.Kind() == reflect.Interface || server.Kind() == reflect.Pointer) {
			server = server.Elem()
		}
		if server.Kind() != reflect.Struct {
			return nil, fmt.Errorf("caddy.ServerListener holds no server struct")
		}
		addr, zones := server.FieldByName("Addr"), server.FieldByName("zones")
		if addr.Kind() != reflect.String || zones.Kind() != reflect.Map {
			return nil, fmt.Errorf("%s has other fields than dnsserver.Server had", server.Type())
		}
		scheme, _, _ := strings.Cut(addr.String(), "://")
		found := Listener{Scheme: scheme, UDP: hostport(l.LocalAddr()), TCP: hostport(l.Addr())}
		for _, zone := range zones.MapKeys() {
			found.Zones = append(found.Zones, zone.String())
		}
		slices.Sort(found.Zones)
		listeners = append(listeners, found)
	}
	slices.SortStableFunc(listeners, func(a, b Listener) int {
		return cmp.Or(cmp.Compare(a.Scheme, b.Scheme), slices.Compare(a.Zones, b.Zones))
	})
	return listeners, nil
}

func hostport(addr net.Addr) string {
	if addr == nil {
		return ""
	}
	return addr.String()
}

// Listeners returns all listeners, sorted by scheme and zones.
func (s *Server) Listeners() []Listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.listeners)
}

// UDP is the address of plain DNS over UDP. With several listeners of the
// scheme, name a zone that only one of them serves; this goes for all lookups
// here. A lookup without exactly one result fails the test.
func (s *Server) UDP(zone ...string) string {
	s.helper()
	return s.lookup(transport.DNS, zone).UDP
}

// TCP is the address of plain DNS over TCP; its port is not that of UDP.
func (s *Server) TCP(zone ...string) string {
	s.helper()
	return s.lookup(transport.DNS, zone).TCP
}

// DoT is the address of the tls:// listener.
func (s *Server) DoT(zone ...string) string {
	s.helper()
	return s.lookup(transport.TLS, zone).TCP
}

// DoH is the address of the https:// listener.
func (s *Server) DoH(zone ...string) string {
	s.helper()
	return s.lookup(transport.HTTPS, zone).TCP
}

// DoQ is the address of the quic:// listener.
func (s *Server) DoQ(zone ...string) string {
	s.helper()
	return s.lookup(transport.QUIC, zone).UDP
}

// GRPC is the address of the grpc:// listener.
func (s *Server) GRPC(zone ...string) string {
	s.helper()
	return s.lookup(transport.GRPC, zone).TCP
}

func (s *Server) lookup(scheme string, zone []string) Listener {
	s.helper()
	found, err := match(s.Listeners(), scheme, zone)
	if err == nil {
		return found
	}
	if s.t == nil {
		panic(err)
	}
	s.t.Fatal(err)
	return Listener{}
}

func (s *Server) helper() {
	if s.t != nil {
		s.t.Helper()
	}
}

func match(listeners []Listener, scheme string, zone []string) (Listener, error) {
	var found []Listener
	for _, l := range listeners {
		if l.Scheme == scheme && l.serves(zone) {
			found = append(found, l)
		}
	}
	if len(found) != 1 {
		return Listener{}, fmt.Errorf("%d listeners for %s://%s, want 1 of %+v",
			len(found), scheme, strings.Join(zone, ","), listeners)
	}
	return found[0], nil
}

func (l Listener) serves(zones []string) bool {
	for _, zone := range zones {
		if !slices.Contains(l.Zones, dns.CanonicalName(zone)) {
			return false
		}
	}
	return true
}
