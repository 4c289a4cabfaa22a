// Package unexported has all that is read of CoreDNS's private state by reflection, where
// there is no public way to it. Nothing is written. If a field is gone, its
// value counts as not known, and nothing is claimed that needs it. The tests here fail then,
// and only this file has to change.
package unexported

import (
	"reflect"
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/cache"
	"github.com/coredns/coredns/plugin/forward"
	"github.com/coredns/coredns/plugin/grpc"
	"github.com/coredns/coredns/plugin/pkg/proxy"

	"github.com/miekg/dns"
)

// MaxFails reads the max_fails of f, which decides when forward takes an upstream to be
// down.
func MaxFails(f *forward.Forward) (fails uint32, known bool) {
	field := reflect.ValueOf(f).Elem().FieldByName("maxfails")
	if field.Kind() != reflect.Uint32 {
		return 0, false
	}
	return uint32(field.Uint()), true
}

// MaxConcurrent reads the max_concurrent of f, 0 if it has none.
func MaxConcurrent(f *forward.Forward) (queries int64, known bool) {
	field := reflect.ValueOf(f).Elem().FieldByName("maxConcurrent")
	if field.Kind() != reflect.Int64 {
		return 0, false
	}
	return field.Int(), true
}

// CacheTimes are how long a cache keeps answers, and how long beyond that it gives them
// where their source fails.
type CacheTimes struct {
	MinPositive, MaxPositive, MinNegative, MaxNegative, Stale time.Duration
}

// Times reads those of c.
func Times(c *cache.Cache) (t CacheTimes, known bool) {
	v := reflect.ValueOf(c).Elem()
	for name, to := range map[string]*time.Duration{
		"minpttl": &t.MinPositive, "pttl": &t.MaxPositive, "minnttl": &t.MinNegative, "nttl": &t.MaxNegative, "staleUpTo": &t.Stale,
	} {
		field := v.FieldByName(name)
		if !field.IsValid() || field.Type() != reflect.TypeFor[time.Duration]() {
			return CacheTimes{}, false
		}
		*to = time.Duration(field.Int())
	}
	return t, true
}

// Verifies reads whether c asks within the query before it gives a stale answer (serve_stale
// verify without a timeout); false without the fields.
func Verifies(c *cache.Cache) bool {
	v := reflect.ValueOf(c).Elem()
	verify, timeout := v.FieldByName("verifyStale"), v.FieldByName("verifyStaleTimeout")
	return verify.Kind() == reflect.Bool && verify.Bool() && (timeout.Kind() != reflect.Int64 || timeout.Int() == 0)
}

// maxWriters is how many writers may stand before cache's own: plugin and header of CoreDNS put
// one there.
const maxWriters = 8

// Stored reads what cache has stored of the last message that was written to w, the writer that
// it gave to the plugins below it: the rcode of that message. ok is false if it stored none, or if
// that cannot be read.
func Stored(w dns.ResponseWriter) (rcode int, ok bool) {
	for range maxWriters {
		if own, is := w.(*cache.ResponseWriter); is {
			return storedBy(own)
		}
		v := reflect.Indirect(reflect.ValueOf(w))
		if v.Kind() != reflect.Struct {
			return 0, false
		}
		inner := v.FieldByName("ResponseWriter")
		if !inner.IsValid() || !inner.CanInterface() {
			return 0, false
		}
		if w, _ = inner.Interface().(dns.ResponseWriter); w == nil {
			return 0, false
		}
	}
	return 0, false
}

func storedBy(w *cache.ResponseWriter) (rcode int, ok bool) {
	item := reflect.ValueOf(w).Elem().FieldByName("lastItem")
	if item.Kind() != reflect.Pointer || item.IsNil() {
		return 0, false
	}
	field := item.Elem().FieldByName("Rcode")
	if field.Kind() != reflect.Int {
		return 0, false
	}
	return int(field.Int()), true
}

// Zone reads the zone that h, a forward or a grpc, forwards.
func Zone(h plugin.Handler) (zone string, known bool) {
	field := reflect.ValueOf(h).Elem().FieldByName("from")
	if field.Kind() != reflect.String {
		return "", false
	}
	return field.String(), true
}

// Addresses reads the addresses of grpc's upstreams; there are none without the fields.
func Addresses(g *grpc.GRPC) []string {
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

// Protocol reads which protocol p was made for, one of plugin/pkg/transport; it is empty
// without the field.
func Protocol(p *proxy.Proxy) string {
	field := reflect.ValueOf(p).Elem().FieldByName("protocol")
	if field.Kind() != reflect.String {
		return ""
	}
	return field.String()
}
