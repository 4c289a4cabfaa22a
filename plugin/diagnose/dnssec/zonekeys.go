package dnssec

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/miekg/dns"
)

// zone is what is known of a zone that the chain has reached. end is set where
// the chain does not go through it.
type zone struct {
	name   string
	anchor bool
	keys   []*dns.DNSKEY
	end    *Finding
}

// Bounds of what one zone may make a validator try. A zone beyond them is
// undecided: a part of its keys cannot show that it is bogus.
const (
	maxDS   = 32
	maxKeys = 64
)

// enter validates the DNSKEY RRset of a zone whose DS RRset is already proven.
func (r *run) enter(name, parentZone string, all []*dns.DS) *zone {
	if z, ok := r.zones[name]; ok {
		return z
	}
	z := &zone{name: name}
	r.zones[name] = z
	if len(all) > maxDS {
		z.end = undecided(parentZone, name, dns.TypeDS, "%s has %d DS records, more than the %d that are tried", short(name), len(all), maxDS)
		r.step(false, parentZone, "%s", z.end.Text)
		return z
	}
	usable, f := r.usableDS(name, parentZone, all)
	if f != nil {
		r.step(true, parentZone, "%s: insecure", f.Text)
		z.end = f
		return z
	}
	set, f := r.dnskeys(name)
	if f != nil {
		r.step(false, name, "%s", f.Text)
		z.end = f.aboutKey(usable[0].KeyTag, usable[0].Algorithm)
		return z
	}
	if z.keys, f = keysOf(set); f != nil {
		r.step(false, name, "%s", f.Text)
		z.end = f
		return z
	}
	var trusted []*dns.DNSKEY
	var because []string
	var nearly *Finding
	for _, ds := range usable {
		ok := false
		for _, k := range z.keys {
			g := entryPoint(ds, k)
			switch {
			case g == gradeGood:
				trusted = append(trusted, k)
				because, ok = append(because, dsText(ds)), true
			case g == gradeNotZoneKey:
				nearly = bogus(dns.ExtendedErrorCodeNoZoneKeyBitSet, name, name, dns.TypeDNSKEY,
					"DNSKEY %d of %s, for DS %d, has no Zone Key bit (flags %d)", k.KeyTag(), short(name), ds.KeyTag, k.Flags).aboutKey(k.KeyTag(), k.Algorithm)
			case g == gradeRevokedKey && nearly == nil:
				nearly = bogus(dns.ExtendedErrorCodeDNSKEYMissing, name, name, dns.TypeDNSKEY,
					"DS %d of %s matches only DNSKEY %d, which is revoked", ds.KeyTag, short(name), k.KeyTag()).aboutKey(k.KeyTag(), k.Algorithm)
			}
		}
		if !ok {
			r.step(len(usable) > 1, parentZone, "%s at %s -> no such DNSKEY at %s", dsText(ds), parentZone, name)
		}
	}
	if len(trusted) == 0 {
		z.end = nearly
		if nearly == nil {
			z.end = noMatch(name, usable, z.keys)
		}
		r.step(false, name, "%s", z.end.Text)
		return z
	}
	r.selfSigned(z, set, trusted, fmt.Sprintf("%s at %s", strings.Join(because, ", "), parentZone))
	return z
}

// selfSigned requires the DNSKEY RRset to be signed by one of the trusted keys.
func (r *run) selfSigned(z *zone, set *rrset, trusted []*dns.DNSKEY, because string) {
	sig, f := r.verify(z.name, set, trusted)
	if f == nil {
		r.step(true, z.name, "%s -> DNSKEY %d at %s, which signs the DNSKEY RRset (tags %s)", because, sig.KeyTag, z.name, tags(z.keys))
		return
	}
	if f.Status == Bogus && len(set.sigs) > 0 && !signedWith(set, trusted) {
		// There are signatures, but none that the parent vouches for.
		f = bogus(dns.ExtendedErrorCodeRRSIGsMissing, z.name, z.name, dns.TypeDNSKEY,
			"no RRSIG by DNSKEY %s covers the DNSKEY RRset of %s, only by %d", tags(trusted), short(z.name), set.sigs[0].KeyTag)
		f.aboutKey(trusted[0].KeyTag(), trusted[0].Algorithm)
	}
	r.step(false, z.name, "%s", f.Text)
	z.end = f
}

func signedWith(set *rrset, keys []*dns.DNSKEY) bool {
	for _, sig := range set.sigs {
		for _, k := range keys {
			if sig.KeyTag == k.KeyTag() {
				return true
			}
		}
	}
	return false
}

func keysOf(set *rrset) ([]*dns.DNSKEY, *Finding) {
	if len(set.rrs) > maxKeys {
		return nil, undecided(set.name, set.name, dns.TypeDNSKEY, "%s has %d DNSKEY records, more than the %d that are tried",
			short(set.name), len(set.rrs), maxKeys)
	}
	var keys []*dns.DNSKEY
	for _, rr := range set.rrs {
		if k, ok := rr.(*dns.DNSKEY); ok {
			keys = append(keys, k)
		}
	}
	return keys, nil
}

// dnskeys fetches the DNSKEY RRset of a zone that has a DS. That it cannot be fetched is
// worth a finding only where the zone is otherwise seen to answer, and a
// failure is what was answered: silence stays silence.
func (r *run) dnskeys(name string) (*rrset, *Finding) {
	m := r.ask(name, dns.TypeDNSKEY)
	if m.failed != nil {
		m = r.again(name, m)
	}
	if m.failed != nil {
		return nil, m.failed
	}
	set := find(m.answer, name, dns.TypeDNSKEY)
	if set == nil {
		return nil, bogus(dns.ExtendedErrorCodeDNSKEYMissing, name, name, dns.TypeDNSKEY,
			"%s has a DS at its parent but no DNSKEY", short(name))
	}
	return set, nil
}

// again asks for the DNSKEY a second time and, if that fails too, for a name
// that no cache can hold: only a server of the zone can answer it. It is the
// positive control without which a failure proves nothing.
func (r *run) again(name string, first *message) *message {
	q := dns.Question{Name: name, Qtype: dns.TypeDNSKEY, Qclass: dns.ClassINET}
	m := r.askAgain(q)
	if m.failed == nil {
		r.answers[q] = m
		return m
	}
	silent := first.failed.Silent || m.failed.Silent
	if !silent && !(first.failed.Withheld && m.failed.Withheld) {
		return first
	}
	control, ok := canonicalName(fmt.Sprintf("_ede-%08x.%s", rand.Uint32(), strings.TrimPrefix(name, ".")))
	if !ok || r.ask(control, dns.TypeTXT).failed != nil {
		return first
	}
	f := bogus(dns.ExtendedErrorCodeDNSKEYMissing, name, name, dns.TypeDNSKEY,
		"%s has a DS but its DNSKEY cannot be fetched, while other names of it are answered", short(name))
	if silent {
		f.Status, f.Codes, f.Silent = Undecided, nil, true
		f.Text = "no answer to " + short(name) + " DNSKEY, while other names of " + short(name) + " are answered"
	}
	f.Keyless = true
	return &message{failed: f}
}
