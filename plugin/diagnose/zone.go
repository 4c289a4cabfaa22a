package diagnose

import (
	"context"
	"fmt"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/control"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/delegation"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/uplink"
)

// causeOf is the cause that stands for a DNSSEC finding's first code.
var causeOf = map[uint16]string{
	1: "dnssec_unsupported_algorithm", 2: "dnssec_unsupported_digest",
	6: "dnssec_bogus", 7: "dnssec_signature_expired", 8: "dnssec_signature_not_yet_valid",
	9: "dnssec_dnskey_missing", 10: "dnssec_rrsigs_missing", 11: "dnssec_no_zone_key",
	12: "dnssec_nsec_missing", 22: "authority_unreachable", 23: "authority_unreachable",
	25: "dnssec_expired_before_valid", 27: "dnssec_nsec3_iterations",
}

// zone names the zone, where all that is nearer has answered. What its own servers
// do comes before DNSSEC where the upstream fails with CD=1 too: that is seldom
// DNSSEC, and a chain with silent servers in it takes all the time there is.
func (d *diagnosis) zone(ctx context.Context) (Finding, bool) {
	if d.probes() && (d.first == nil || d.unvalidated == nil || !d.open()) {
		if f, ok := d.delegation(ctx); ok {
			return f, true
		}
		if why := d.unjudged(); why != "" {
			d.saw(false, "%s", why)
		} else {
			d.saw(d.probing.found.Kind == delegation.Healthy, "its name servers give no reason for the failure")
		}
	}
	if !d.checked() || d.unvalidated == nil && d.chain == nil {
		if d.first != nil || len(d.Anchors) == 0 {
			return Finding{}, false
		}
		return d.unanswered(ctx)
	}
	return d.dnssec(ctx, *d.wait(ctx))
}

// unanswered is for an upstream that answers with CD=1 and gives no reply with CD=0.
// That may be the path. DNSSEC is named only if the upstream is seen to validate, and
// the chain does not hold here: then it has no answer to give.
func (d *diagnosis) unanswered(ctx context.Context) (Finding, bool) {
	root, ok := control.Reply{}, false
	if d.open() {
		root, ok = d.shared(ctx, control.RootChecked)
	}
	if !ok || !root.Validated {
		d.saw(false, "DNSSEC is not judged: with CD=0 there was no answer")
		return Finding{}, false
	}
	if found := d.wait(ctx); found.Status == dnssec.Bogus {
		d.saw(true, "the upstream validates, as the AD bit of %s shows", control.RootChecked)
		return d.judged(ctx, *found)
	}
	return Finding{}, false
}

// dnssec draws the verdict from a validation by what the upstream gives. What
// validates here is never called bogus.
func (d *diagnosis) dnssec(ctx context.Context, found dnssec.Finding) (Finding, bool) {
	if len(d.Anchors) == 0 {
		d.whyOpen("")
		return Finding{}, false
	}
	switch holds := found.Status == dnssec.Secure || found.Status == dnssec.Insecure; {
	case found.Clock, d.private():
	case found.Bare:
		found = d.attested(ctx, found)
	case found.Status == dnssec.Undecided:
		if other, ok := d.elsewhere(ctx); ok {
			found = other
		} else if other, ok := d.witness(ctx, found); ok {
			found = other
		}
	case holds && d.byDNSSEC() && d.Delegation != nil:
		// What the upstream objects to may be what it does not give with CD=1.
		d.step(false, "what the upstream gives with CD=1 is %s, and not what it objects to: once more through the zones' own servers", found.Status)
		if other := d.validate(ctx, d.servers(ctx)); other.Status == dnssec.Bogus {
			found = other
		}
	}
	if f, ok := d.judged(ctx, found); ok {
		return f, true
	}
	// What the upstream objects to with CD=0 alone may be what it does not give.
	d.holds = (found.Status == dnssec.Secure || found.Status == dnssec.Insecure && !found.Foreign) && !d.byDNSSEC() && !d.private()
	if d.advice == adviceUplink {
		return Finding{}, false
	}
	if found.Status == dnssec.Undecided {
		d.saw(false, "it cannot be validated here: %s", found.Text)
		d.whyOpen("; " + found.Text)
		return Finding{}, false
	}
	here := fmt.Sprintf("validated here it is %s: %s", found.Status, found.Text)
	if d.private() {
		here = "it is not validated here: " + found.Text
	}
	d.saw(found.Status == dnssec.Secure, "%s", here)
	d.whyOpen("; " + here)
	if d.byDNSSEC() {
		d.advice = adviceValid
	}
	return Finding{}, false
}

// whyOpen says why a diagnosis stays undecided where the chain named nobody.
func (d *diagnosis) whyOpen(but string) {
	advice := d.adviceOpen()
	switch {
	case d.private():
		advice = advicePrivate
	case d.unjudged() != "":
		advice = adviceUnjudged
	}
	if d.open() {
		_, _ = d.because(advice, "the upstream answers only with CD=1%s", but)
		d.onlyCD = true
		return
	}
	_, _ = d.because(advice, "the upstream fails with and without DNSSEC validation%s", but)
}

const (
	adviceValid = "Look at the upstream: its cache for this name, and any forward, local zone or trust anchor that it has for the name. Its answer with CD=1 validates here."
	// adviceUnjudged is for a zone whose servers were asked and not judged.
	adviceUnjudged = "Find out whether this upstream or the zone is at fault: ask the zone's name servers from another network, or from the upstream itself. From here nothing follows from what was seen of them."

	// advicePrivate is for a name that nobody else may be asked for.
	advicePrivate = "Look at this upstream first: its log for the name, and the server from which it has this private zone. No other resolver and no public name server knows the name."
)

// adviceOpen names what this diagnosis did not have.
func (d *diagnosis) adviceOpen() string {
	const advice = "Find out whether this upstream or the zone is at fault"
	switch {
	case d.ByHand:
		return advice + "."
	case d.Delegation == nil && len(d.Compare) == 0:
		return advice + ": name another resolver under compare, or let delegation query the zone's own servers."
	case d.Delegation == nil:
		return advice + ": let delegation query the zone's own servers."
	case len(d.Compare) == 0:
		return advice + ": name another resolver under compare."
	}
	return advice + ": look for the name in the log of the upstream, and query the zone's name servers from there."
}

// judged is the verdict that a validation stands for, if any.
func (d *diagnosis) judged(ctx context.Context, found dnssec.Finding) (Finding, bool) {
	zone, cut := found.Zone, found.Type == dns.TypeDNSKEY
	if found.Type == dns.TypeDS {
		// The parent judges the DS, and the child alone is cut off by it.
		zone, cut = found.Owner, true
	}
	about := func(id string, codes []uint16) *cause.Verdict {
		return cause.Diagnosed(d.Verdict, id, codes, found.Text, found.Text, found.Zone).Keeping(d.said)
	}
	switch {
	case found.Clock:
		return d.clock(&found)
	case found.Keyless && !d.keyless(ctx, &found):
		return d.unconnected(found.Text + "; ")
	case found.Keyless && found.Status == dnssec.Bogus:
		f := d.explained(about("dnssec_dnskey_unavailable", found.Codes), zone, cut)
		f.Fault = &found
		return f, true
	case found.Keyless && found.Silent && d.byDNSSEC():
		v := about("dnssec_dnskey_unavailable", []uint16{dns.ExtendedErrorCodeNetworkError})
		v.Owner = cause.Nobody
		f := d.explained(v, zone, false)
		f.Fault = &found
		return f, true
	case found.Status == dnssec.Bogus && len(found.Codes) > 0:
		id, ok := causeOf[found.Codes[0]]
		if !ok {
			return Finding{}, false
		}
		f := d.explained(d.unattested(&found, about(id, found.Codes)), zone, cut)
		if d.signed == "" {
			f.Fault = &found
		}
		return f, true
	case found.Status == dnssec.Insecure && d.byDNSSEC() && len(found.Codes) > 0 && !found.Foreign && !d.private():
		// What no validator can judge is taken for unsigned by most, and failed
		// by this one (for NSEC3 iterations RFC 9276 section 3.2 allows both).
		return d.explained(about(causeOf[found.Codes[0]], found.Codes), "", false), true
	case found.Status == dnssec.Undecided && !found.Silent && d.byDNSSEC() && !d.private() && (found.Type != dns.TypeDNSKEY || found.Old):
		// Twice with CD=0 it fails and with CD=1 it does not: what the upstream
		// objects to is DNSSEC, though not seen what. One that cannot get the keys
		// fails in the same way.
		if !d.proved(ctx, d.top(), func() bool { return d.failsAgain(ctx, d.Failing) }) {
			return d.unconnected("the upstream answered with CD=1, and failed with CD=0; " + found.Text + "; ")
		}
		if !d.onlyUnchecked(ctx) {
			return d.varies()
		}
		text := "the upstream answers only with CD=1: it finds the answer bogus"
		v := cause.Diagnosed(d.Verdict, causeOf[6], []uint16{6}, text, text, "").Keeping(d.said)
		v.Owner, v.Lasts, v.Advice = cause.Nobody, cause.LastsOpen, adviceUnseen
		if found.Old {
			v = v.With("the root's signatures that it gives had expired before another zone's were made")
			v.Advice = adviceOld
		}
		return d.explained(v, "", false), true
	}
	return Finding{}, false
}

// keyless reports whether the zone's servers are reached and the keys that found lacks are
// not given once more. The control of the keys may be answered from denials that are
// remembered; but of a zone without keys no denial is accepted. Keys that were waited for in
// vain are not waited for again.
func (d *diagnosis) keyless(ctx context.Context, found *dnssec.Finding) bool {
	if found.Silent {
		return d.proved(ctx, d.top(), func() bool { return true })
	}
	zone := dns.CanonicalName(found.Owner)
	again := func() bool {
		m, err := d.Failing.Exchange(ctx, question(dns.Question{Name: zone, Qtype: dns.TypeDNSKEY, Qclass: dns.ClassINET}, true, true))
		return err == nil && !answered(m)
	}
	return d.proved(ctx, uplink.Zones{Top: zone, Rejects: true}, func() bool { return again() && d.fails(ctx, control.UnusedChecked(zone)) }) ||
		d.proved(ctx, d.top(), again)
}

const adviceOld = "Look at the upstream's copy of the root zone, if it has one of its own (RFC 8806): the copy is old. Its transfer has stopped, or the upstream cannot reach the root servers."

const adviceUnseen = "Ask another validating resolver for the same name: what this upstream objects to could not be seen from here, and the fault may be its own."
