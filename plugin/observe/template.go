package observe

import (
	"reflect"
	"regexp"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/template"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// templateFor tells whether a template of h answers q with SERVFAIL by its
// configuration, or whether none matches. The plugin returns the same bare
// SERVFAIL in both cases (plugin/template/template.go ServeDNS) and exports
// none of the fields that decide, so they are read by reflection; what cannot
// be read so is reported as unknown.
func templateFor(h plugin.Handler, q dns.Question) evidence.Template {
	var handler template.Handler
	switch h := h.(type) {
	case template.Handler:
		handler = h
	case *template.Handler:
		handler = *h
	default:
		return evidence.TemplateUnknown
	}
	templates := reflect.ValueOf(handler.Templates)
	for i := range templates.Len() {
		t := templates.Index(i)
		qclass, qtype, rcode := t.FieldByName("qclass"), t.FieldByName("qtype"), t.FieldByName("rcode")
		if qclass.Kind() != reflect.Uint16 || qtype.Kind() != reflect.Uint16 || rcode.Kind() != reflect.Int {
			return evidence.TemplateUnknown
		}
		if !inZones(t.FieldByName("zones"), lower(q.Name)) ||
			!matchesOrAny(uint16(qclass.Uint()), q.Qclass, dns.ClassANY) ||
			!matchesOrAny(uint16(qtype.Uint()), q.Qtype, dns.TypeANY) {
			continue
		}
		if !anyRegexp(t.FieldByName("regex"), lower(q.Name)) {
			fall := t.FieldByName("fall")
			if fall.Kind() != reflect.Struct {
				return evidence.TemplateUnknown
			}
			if inZones(fall.FieldByName("Zones"), lower(q.Name)) {
				continue
			}
			// Without fallthrough it ends the search for a template.
			return evidence.TemplateNoMatch
		}
		if exprs := t.FieldByName("exprs"); exprs.Kind() == reflect.Slice && exprs.Len() > 0 {
			return evidence.TemplateUnknown
		}
		if rcode.Int() == dns.RcodeServerFailure {
			return evidence.TemplateRcode
		}
	}
	return evidence.TemplateNoMatch
}

func inZones(zones reflect.Value, name string) bool {
	if zones.Kind() != reflect.Slice {
		return false
	}
	for i := range zones.Len() {
		if plugin.Name(zones.Index(i).String()).Matches(name) {
			return true
		}
	}
	return false
}

func matchesOrAny(have, asked, anyValue uint16) bool {
	return have == anyValue || asked == anyValue || have == asked
}

func anyRegexp(list reflect.Value, name string) bool {
	if list.Kind() != reflect.Slice {
		return false
	}
	for i := range list.Len() {
		if list.Index(i).Kind() != reflect.Pointer || list.Index(i).Type() != reflect.TypeFor[*regexp.Regexp]() {
			return false
		}
		re := (*regexp.Regexp)(list.Index(i).UnsafePointer())
		if re != nil && re.MatchString(name) {
			return true
		}
	}
	return false
}
