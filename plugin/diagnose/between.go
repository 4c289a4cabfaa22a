package diagnose

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/control"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// between looks for a fault between the upstream and the zone: something strips the
// signatures, answers in the zone's place, or is a private zone. Validation shows each of
// them, if the upstream's own validation rejects the name.
func (d *diagnosis) between(ctx context.Context) (Finding, bool) {
	if d.unvalidated == nil || !d.checked() || d.unsettled || len(d.Anchors) == 0 {
		return Finding{}, false
	}
	found := d.wait(ctx)
	switch {
	case found.Clock:
		return d.clock(found)
	case !d.open():
		return Finding{}, false
	case found.Stripped:
		return d.stripped(ctx)
	case !d.anchored() && d.special() && len(d.unvalidated.Answer) > 0:
		if !d.onlyUnchecked(ctx) {
			return d.varies()
		}
		return d.ownZone("the name is for private use, and answered only with CD=1", "")
	case !d.anchored() && d.private():
		_, _ = d.because(adviceException, "the upstream answers only with CD=1: its validation rejects a private name")
		d.onlyCD = true
		return Finding{}, false
	case !found.Bare:
		if found.Status == dnssec.Secure {
			d.saw(true, "the answer with CD=1 validates, and shows no sign of a filter, of removed signatures or of a private zone")
		}
		return Finding{}, false
	}
	address, special := replaced(found.Unsigned)
	private := special && !nullAddress(address)
	above := found.Denied != "" && found.Denied != found.Owner
	switch {
	case found.Standing == dnssec.Absent && (private || above || dns.CountLabel(found.Zone) < 2):
		return d.ownZone(fmt.Sprintf("%s proves that %s", zoneName(found.Zone), denied(found)), suffixOf(address))
	case found.Standing != dnssec.Unproven && special:
		return d.replacedBy(found, address)
	case found.Type == dns.TypeDNSKEY && private:
		return d.ownZone(fmt.Sprintf("%s has a DS, and nothing of it is signed here", zoneName(found.Owner)), suffixOf(address))
	}
	d.saw(false, "the answer is unsigned, and the zone's own records do not show whether it comes from the zone")
	return Finding{}, false
}

// stripped convicts what stands between an upstream that validates and the zones, where not
// even the root comes with signatures. A forwarder that itself passes none on gives none
// either: so the upstream has to speak EDNS, and to fail the root with CD=0. One that fails at
// random may do so too: so it has to answer the question with CD=1 only.
func (d *diagnosis) stripped(ctx context.Context) (Finding, bool) {
	keys := d.given[dns.Question{Name: ".", Qtype: dns.TypeDNSKEY, Qclass: dns.ClassINET}]
	root, ok := d.shared(ctx, control.RootChecked)
	if ok && root.Rcode == dns.RcodeServerFailure && keys != nil && keys.IsEdns0() != nil {
		if !d.onlyUnchecked(ctx) {
			return d.varies()
		}
		return d.convict("dnssec_stripped", "")
	}
	d.saw(false, "no signature came, not even the root's: whether the upstream validates, or passes none on, is not known")
	return Finding{}, false
}

// clock convicts this server's clock by the signatures of a trust anchor's zone.
func (d *diagnosis) clock(found *dnssec.Finding) (Finding, bool) {
	if found.Zone == "." {
		return d.convict("clock_wrong", "")
	}
	text := fmt.Sprintf("by this server's clock the signatures of %s are not valid, and those of another zone are not either", zoneName(found.Zone))
	v := cause.Diagnosed(d.Verdict, "clock_wrong", nil, text, text, "")
	d.step(false, "%s", text)
	return d.explained(v, "", false), true
}

// ofDO reports whether the question fails for its DO bit alone, which most clients do not set.
func (d *diagnosis) ofDO(ctx context.Context) bool {
	if !d.DNSSECOK {
		return false
	}
	without := question(d.Question, false, false)
	if m, err := d.Failing.Exchange(ctx, without); err != nil || !answered(m) {
		return false
	}
	if !d.each(ctx, without, answered) || !d.each(ctx, d.query(false), hasRcode(dns.RcodeServerFailure)) {
		_, _ = d.unlike("the question fails, and was answered without the DO bit")
		return true
	}
	const what = "the question is answered without the DO bit, and with it, and with CD=1, SERVFAIL"
	d.saw(false, "%s", what)
	_, _ = d.because("Look at how the upstream gets DNSSEC records: its own upstreams, or something on the way, may not pass them. Clients that do not set the DO bit get answers.", "%s", what)
	return true
}

// rejects is for an upstream that answers a query with EDNS neither well nor SERVFAIL. That
// is for EDNS only if it does otherwise without, each time.
func (d *diagnosis) rejects(ctx context.Context) (Finding, bool) {
	plain, code := d.asked(d.Question), d.first.Rcode
	plain.Extra = nil
	what := fmt.Sprintf("asked with EDNS, it answers %s", dns.RcodeToString[code])
	reply, err := d.Failing.Exchange(ctx, plain)
	advice := adviceRejects
	switch {
	case err != nil:
	case !d.each(ctx, d.query(false), hasRcode(code)), !d.each(ctx, plain, hasRcode(reply.Rcode)):
		return d.unlike("%s, and without EDNS %s", what, dns.RcodeToString[reply.Rcode])
	default:
		what += ", and without EDNS " + dns.RcodeToString[reply.Rcode]
		if reply.Rcode != code {
			advice = "Look at the upstream, or at what stands in front of it: it does not take EDNS (RFC 6891), and so cannot say why it fails. Look for the name in its log."
		}
	}
	d.saw(false, "%s", what)
	return d.because(advice, "%s", what)
}

const adviceRejects = "Look for the name in the log of the upstream, or of what stands in front of it."

const adviceException = "Set an exception on the upstream for this zone: domain-insecure (Unbound), validate-except (BIND), or a negative trust anchor."

// ownZone is the finding that the upstream has a zone of its own which its validation
// rejects; why says how the public DNS shows it.
func (d *diagnosis) ownZone(why, address string) (Finding, bool) {
	f, ok := d.convict("upstream_own_zone", why)
	first := &f.Verdict.Statements[0]
	first.Full += address
	f.Verdict.Own, f.Text = first.Full, first.Full
	return f, ok
}

func (d *diagnosis) replacedBy(found *dnssec.Finding, address netip.Addr) (Finding, bool) {
	what := "a signed"
	if found.Standing == dnssec.Absent {
		what = "no"
	}
	rest := fmt.Sprintf("is not from the zone: this answer is unsigned, and %s proves that %s has %s %s record; a filter replaced the answer",
		zoneName(found.Zone), option.Sanitize(found.Owner, maxSaid), what, dns.Type(found.Unsigned[0].Header().Rrtype))
	text := fmt.Sprintf("the upstream's answer with CD=1 (%s) %s", address, rest)
	v := cause.Diagnosed(d.Verdict, "answer_replaced", nil, "the upstream's answer with CD=1 "+rest, text, "")
	d.step(false, "%s", text)
	return d.explained(v, "", false), true
}

// replaced returns an address that no public zone has: the unspecified one, with
// which filters block, or a private one, to which they lead.
func replaced(records []dns.RR) (netip.Addr, bool) {
	for _, rr := range records {
		var a netip.Addr
		switch rr := rr.(type) {
		case *dns.A:
			a, _ = netip.AddrFromSlice(rr.A.To4())
		case *dns.AAAA:
			a, _ = netip.AddrFromSlice(rr.AAAA.To16())
		}
		if a.IsValid() && (a.IsUnspecified() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast()) {
			return a, true
		}
	}
	return netip.Addr{}, false
}

func nullAddress(a netip.Addr) bool { return a.IsValid() && a.IsUnspecified() }

func suffixOf(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return fmt.Sprintf("; the upstream's answer is %s", a)
}

func denied(found *dnssec.Finding) string {
	if found.Denied != found.Owner {
		return "the name " + option.Sanitize(found.Denied, maxSaid) + " does not exist"
	}
	return fmt.Sprintf("%s has no %s record", option.Sanitize(found.Owner, maxSaid), dns.Type(found.Type))
}

func zoneName(zone string) string {
	if zone == "." {
		return "the public root"
	}
	return option.Sanitize(zone, maxSaid)
}

// attested looks for somebody who tells whether an answer without any signature is that of
// its zone, which lost them, or of the upstream, which has its own data for the zone. The
// zone's own servers tell both. Another resolver tells that the zone is signed; that it has
// none either says nothing: it may be forwarded to the same place.
func (d *diagnosis) attested(ctx context.Context, found dnssec.Finding) dnssec.Finding {
	if !found.Bare || found.Status != dnssec.Bogus {
		return found
	}
	var sources []Resolver
	if d.Delegation != nil {
		sources = append(sources, d.servers(ctx))
	}
	sources = append(sources, d.Others...)
	for _, r := range d.Compare {
		sources = append(sources, d.counted(r))
	}
	for _, s := range sources {
		d.step(false, "nothing of that is signed: once more through %s", s.Name)
		other := d.validate(ctx, s)
		switch {
		case other.Status == dnssec.Secure:
			d.signed = s.Name
			return found
		case other.Status == dnssec.Bogus && !other.Bare:
			return other
		}
	}
	return found
}

// unattested returns v, the verdict on found, without blame for the zone if it is not known
// whether the zone or the upstream is at fault.
func (d *diagnosis) unattested(found *dnssec.Finding, v *cause.Verdict) *cause.Verdict {
	if !found.Bare {
		return v
	}
	if d.signed != "" {
		brief := "the upstream's answer, which it finds bogus, is unsigned; elsewhere the zone's answer is signed"
		full := "the upstream's answer, which it finds bogus, is unsigned; one that is signed and validates here comes from " + d.signed
		v = cause.Diagnosed(d.Verdict, causeOf[6], []uint16{6}, brief, full, "").Keeping(d.said)
		v.Owner, v.Advice = cause.Nobody, adviceSigned
		return v
	}
	v = v.With("the zone has lost signatures, or the upstream has its own data for it")
	v.Owner, v.Advice = cause.Nobody, adviceWhose
	return v
}

const (
	adviceSigned = "Find out where the upstream has this answer from. If it serves the zone itself, or forwards it to an internal server, set an exception there: domain-insecure (Unbound), validate-except (BIND), or a negative trust anchor. Otherwise look for a filter behind it, or for one server of the zone that sends no signatures."
	adviceWhose  = "Ask first whether the upstream serves this zone itself, or forwards it to an internal server. If so, set an exception there: domain-insecure (Unbound), validate-except (BIND), or a negative trust anchor. If not, query the zone's own servers (delegation does so); if they send no signatures either, tell the zone's owner."
)
