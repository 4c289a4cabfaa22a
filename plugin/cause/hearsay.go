package cause

import (
	"fmt"
	"slices"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// Hearsay is what an upstream says of a zone, by its kind. Whether the zone or the
// upstream is at fault cannot be known from it: an upstream with a wrong clock says the
// same of every signed zone, and one without Internet access says it of every zone.
type Hearsay uint8

const (
	// NoHearsay: the upstream says nothing, or something of itself.
	NoHearsay Hearsay = iota
	// OfDNSSEC: that validation fails.
	OfDNSSEC
	// OfReach: that the zone's name servers cannot be reached.
	OfReach
)

// Kinds is how many kinds of hearsay there are, NoHearsay among them.
const Kinds = int(OfReach) + 1

func hearsayOf(code uint16) Hearsay {
	switch {
	case slices.Contains(reachCodes, code):
		return OfReach
	case code == indeterminate, code == bogus, slices.Contains(dnssecCodes, code):
		return OfDNSSEC
	}
	return NoHearsay
}

// Hearsay is the kind of what v rests on, if it rests on an upstream's word alone.
func (v *Verdict) Hearsay() Hearsay {
	if v.asked || v.weighed || v.Cause != upstreamEDE && v.Cause != cnameTargetFailed {
		return NoHearsay
	}
	if i := mostTelling(v.Statements, v.rcode); i >= 0 && v.Statements[i].FromUpstream {
		return hearsayOf(v.Statements[i].Code)
	}
	return NoHearsay
}

// Weight says of how many other zones an upstream said the same lately.
type Weight struct {
	// Zones is how many unrelated zones it said the same of.
	Zones int
	// Alone is true if the upstream has given no good answer meanwhile.
	Alone bool
	// Top is the root, or a top-level domain, that it said the same of.
	Top string
}

const (
	// convincing is how many unrelated zones are not broken at once by chance, where nothing
	// else is answered: on a quiet server two broken zones in a minute are.
	convincing = 5
	// topWeighs is for how many zones the root or a top-level domain stands. Alone it proves
	// nothing either: a single reply may be lost, and a top-level domain be out of reach.
	topWeighs = 2
)

// Itself reports whether the upstream speaks of itself, and not of a zone.
func (w Weight) Itself() bool {
	weight := w.Zones
	if w.Top != "" {
		weight += topWeighs
	}
	return w.Alone && weight >= convincing
}

// Weighed returns v with a text that says that its upstream said the same of other zones.
// If that makes the upstream itself the suspect, owner and advice say so too.
func (v *Verdict) Weighed(w Weight) *Verdict {
	kind := v.Hearsay()
	if kind == NoHearsay || w.Zones < 2 && !w.Itself() {
		return v
	}
	more := fmt.Sprintf("it says the same about %d unrelated zones", w.Zones)
	switch w.Top {
	case "":
	case ".":
		more += " and about the root"
	default:
		more += " and about " + w.Top
	}
	if w.Itself() {
		more += ", and answers nothing else meanwhile"
	}
	o := *v
	o.weighed, o.shared = true, nil
	o.Statements = slices.Clone(v.Statements)
	s := &o.Statements[mostTelling(v.Statements, v.rcode)]
	s.Brief, s.Full = adding(s.Brief, more), adding(s.Full, more)
	o.note(more)
	if w.Itself() {
		o.Owner, o.Lasts, o.Advice = Upstream, LastsOpen, itselfAdvice[kind]
	}
	return &o
}

// adding returns text, which may name its source alone, with more. A structured text is
// for programs and stays as it is.
func adding(text, more string) string {
	switch {
	case option.Structured(text):
		return text
	case isAttribution(text):
		return text + ": " + more
	}
	return text + "; " + more
}

// OfZone returns v, which rests on what an upstream said, with the zone as owner. It is for
// an upstream that is ruled out by its answers to control questions, or by a validation here.
func (v *Verdict) OfZone() *Verdict {
	kind := NoHearsay
	if i := mostTelling(v.Statements, v.rcode); i >= 0 {
		kind = hearsayOf(v.Statements[i].Code)
	}
	if kind == NoHearsay {
		return v
	}
	o := *v
	o.Owner, o.Advice = Zone, ofZoneAdvice[kind]
	return &o
}

// The advice on hearsay: where nothing is proved, where the upstream speaks of itself,
// and where it speaks of the zone.
var (
	openAdvice = [Kinds]string{
		OfDNSSEC: "The upstream says that the zone's DNSSEC fails. The zone may be at fault, or the upstream's clock or trust anchor. One query shows which: dig @UPSTREAM . SOA. If this query fails too, look at the upstream's clock. If it is answered, check the signatures and the DS of the zone (delv, dig +cd), and tell the zone's owner.",
		OfReach:  "The upstream says that it cannot reach the zone's name servers. The zone may be at fault, or the upstream's own connection to the Internet. One query for a name that is in no cache shows which: dig @UPSTREAM $RANDOM$RANDOM.com. If this query fails too, look at the upstream. If it is answered (NXDOMAIN is an answer), check the zone's name servers (dig NS +trace).",
	}
	itselfAdvice = [Kinds]string{
		OfDNSSEC: "Look at the upstream before any zone: its clock first, then its trust anchor, then the path to the root servers. Test: dig @UPSTREAM . SOA.",
		OfReach:  "Look at the upstream's connection to the Internet and at its own upstreams, before any zone's name servers.",
	}
	ofZoneAdvice = [Kinds]string{
		OfDNSSEC: "The zone's DNSSEC is at fault, not this server or the upstream. Tell the zone's owner; delv and dig +cd show more.",
		OfReach:  "The upstream resolves other names and not this zone. Check the zone's name servers (dig NS +trace), and whether a filter prevents the upstream from reaching these servers. Tell the zone's owner.",
	}
)
