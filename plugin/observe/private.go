package observe

import (
	"reflect"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/forward"
	"github.com/coredns/coredns/plugin/grpc"
)

// This file has all that is read of CoreDNS's private state, since there is no public
// way to it. Nothing is written. A field that is gone reads as not known, and what
// rests on it is not claimed; TestPrivateFieldsAreThere tells when that happens.

// defaultMaxFails is forward's default of max_fails.
const defaultMaxFails = 2

// maxFailsOf reads the max_fails of f, which decides when forward takes an upstream to
// be down. Without the field the default is assumed, and known is false.
func maxFailsOf(f *forward.Forward) (fails uint32, known bool) {
	field := reflect.ValueOf(f).Elem().FieldByName("maxfails")
	if field.Kind() != reflect.Uint32 {
		return defaultMaxFails, false
	}
	return uint32(field.Uint()), true
}

// fromOf reads the zone that a forward or a grpc forwards; known is false without the
// field.
func fromOf(h plugin.Handler) (zone string, known bool) {
	field := reflect.ValueOf(h).Elem().FieldByName("from")
	if field.Kind() != reflect.String {
		return "", false
	}
	return field.String(), true
}

// addrsOf reads the addresses of grpc's upstreams; there are none without the fields.
func addrsOf(g *grpc.GRPC) []string {
	proxies := reflect.ValueOf(g).Elem().FieldByName("proxies")
	if proxies.Kind() != reflect.Slice {
		return nil
	}
	var addrs []string
	for i := range proxies.Len() {
		p := proxies.Index(i)
		if p.Kind() != reflect.Pointer || p.IsNil() {
			return nil
		}
		addr := p.Elem().FieldByName("addr")
		if addr.Kind() != reflect.String {
			return nil
		}
		addrs = append(addrs, addr.String())
	}
	return addrs
}
