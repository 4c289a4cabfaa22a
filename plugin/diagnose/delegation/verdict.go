package delegation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// Names as in RFC 8914 section 4.
const (
	codeOther                uint16 = dns.ExtendedErrorCodeOther
	codeNoReachableAuthority uint16 = dns.ExtendedErrorCodeNoReachableAuthority
)

func (r *run) undecided(zone, why string) Finding {
	f := Finding{Kind: Undecided, Zone: zone}
	f.Text = shorten(why, maxText)
	f.FullText = shorten(why, maxFullText)
	return f
}

func shorten(text string, limit int) string {
	if len(text) > limit {
		return text[:limit-3] + "..."
	}
	return text
}

// votes counts what the servers that the parent names did.
type votes struct {
	usable, bare    int // bare of the usable ones only without EDNS
	replied, silent int // against the zone; silent ones with a control
	none            int // against the zone: no address
	unjudged        int // no evidence, the next three among them
	special         int // not asked: the address is special
	noRoute, barred int // out of reach from here
	open            int // name servers of which no address was judged
	unasked         int
	lagging         int // of those that replied with a failure
	keys, noKeys    int // of the usable ones, whether they answer for DNSKEY
	ednsKeys        int // of keys, with EDNS
	keysUnasked     int
}

func count(servers []ServerResult) votes {
	var v votes
	open := map[string]bool{}
	for _, s := range servers {
		if s.ChildOnly {
			continue
		}
		switch o := s.Outcome; {
		case o.usable():
			v.usable++
			if o == AnswersBare {
				v.bare++
			}
			v.countKeys(s.DNSKEY)
		case o.replied(), o == Cut, s.partial():
			v.replied++
			if s.Behind > 0 {
				v.lagging++
			}
		case o.silent() && s.Control:
			v.silent++
		case o == Addressless:
			v.none++
		case o == Unasked:
			v.unasked++
		default:
			v.unjudged++
			v.special += boolInt(o == OnlySpecial)
			v.noRoute += boolInt(o == NoRoute)
			v.barred += boolInt(o == Barred)
			if _, ok := open[s.Name]; !ok {
				open[s.Name] = true
			}
			continue
		}
		open[s.Name] = false
	}
	for _, is := range open {
		v.open += boolInt(is)
	}
	return v
}

func (v *votes) countKeys(o Outcome) {
	switch {
	case o.usable():
		v.keys++
		if o != AnswersBare {
			v.ednsKeys++
		}
	case o == Unasked, o.barred():
		v.keysUnasked++
	case o == Cut:
		// A truncated answer is one with EDNS.
		v.noKeys++
		v.ednsKeys++
	default:
		v.noKeys++
	}
}

// judge draws the verdict on z.
func (r *run) judge(z *zone, results []inspection, name string, qtype uint16) Finding {
	f := Finding{Zone: z.name}
	results = r.childSide(z, &f, results, name, qtype)
	for _, in := range results {
		f.Servers = append(f.Servers, in.ServerResult)
	}
	f.Servers = append(f.Servers, z.missing...)
	r.control(z, f.Servers)
	brief, full := compareSerials(f.Servers)
	f.Serials = brief

	v := count(f.Servers)
	var head string
	f.Kind, head = verdict(z, v, name == z.name && qtype == dns.TypeDNSKEY)
	switch quiet := onSilence(f.Kind, f.Servers); {
	case quiet && slices.ContainsFunc(f.Servers, ServerResult.cut) && !r.overTCP(z, f.Servers):
		f.Kind, head = Undecided, "perhaps no server answers over TCP here, so nothing follows from what the servers of "+short(z.name)+" do: "
	case quiet && !r.clean(z, f.Servers, name, qtype):
		f.Kind, head = Undecided, "packets get lost on the path, so nothing follows from the silence of the servers of "+short(z.name)+": "
	}
	switch f.Kind {
	case Undecided, Healthy:
	case SerialMismatch:
		f.Codes = []uint16{codeOther}
		f.Control = true
	case NoAddress:
		f.Codes = []uint16{codeNoReachableAuthority}
		f.Control = true
	default:
		if f.OfQuestion = f.Kind == Lame && v.usable == 0 && haveZone(f.Servers); f.OfQuestion && slices.ContainsFunc(f.Servers, ServerResult.serves) {
			head = "the name servers of " + short(z.name) + " have the zone, and give no usable answer to this question: "
		}
		if f.FromHere = fromHere(f.Servers); f.FromHere {
			head = "from here, " + head
		}
		f.Codes = []uint16{codeNoReachableAuthority}
		f.Control = true
	}
	f.describe(head, z.notes(&f)...)
	if f.Kind == SerialMismatch {
		// The serials are the finding, so they go before what each server did.
		f.Text = shorten(short(z.name)+" "+brief, maxText)
		f.FullText = shorten(short(z.name)+" "+full+"; "+f.FullText, maxFullText)
	}
	return f
}

// haveZone reports whether all servers that the parent names, and that failed the question,
// answer for the zone's SOA.
func haveZone(servers []ServerResult) bool {
	return !slices.ContainsFunc(servers, func(s ServerResult) bool { return !s.ChildOnly && !s.partial() && !s.serves() })
}

// verdict reads the votes. A zone is at fault only if none of its servers could
// be the one that answers: a name server that was not asked, or of whose silence nothing
// follows, keeps the zone from being judged.
func verdict(z *zone, v votes, keysAsked bool) (Kind, string) {
	at := short(z.name)
	total := v.usable + v.replied + v.silent + v.none + v.unjudged + v.unasked
	against := v.replied + v.silent + v.none
	switch {
	case v.usable > 0 && v.lagging > 0:
		return SerialMismatch, fmt.Sprintf("%d of %d name servers of %s answer the question: ", v.usable, total, at)
	case v.usable > 0 && z.signed && v.bare == v.usable && v.ednsKeys+v.keysUnasked+v.unasked+v.open+z.skipped == 0:
		return Lame, "no name server of " + at + " answers with EDNS, which DNSSEC needs: "
	case v.usable > 0 && z.signed && v.noKeys > 0 && v.keys+v.keysUnasked+v.unasked+v.open+z.skipped == 0:
		return DNSKEYUnavailable, "no name server of " + at + " that answers gives its DNSKEY: "
	case v.usable > 0:
		return Healthy, fmt.Sprintf("%d of %d name servers of %s answer: ", v.usable, total, at)
	case total == 0:
		return Undecided, "no name servers of " + at + " are known"
	case v.unasked+z.skipped > 0:
		return Undecided, "not all name servers of " + at + " could be asked: "
	case v.open > 0 && against == 0:
		return Undecided, v.whyOpen(at)
	case v.open > 0:
		return Undecided, "not all name servers of " + at + " could be judged: "
	case v.replied > 0 && z.signed && keysAsked:
		return DNSKEYUnavailable, "no name server of " + at + " gives its DNSKEY: "
	case v.replied > 0:
		return Lame, "no name server of " + at + " gives a usable answer: "
	case v.silent > 0:
		return Unreachable, "no name server of " + at + " answers: "
	}
	return NoAddress, "no name server of " + at + " has an address: "
}

// whyOpen says why nothing follows where no name server was judged.
func (v votes) whyOpen(zone string) string {
	switch v.unjudged {
	case v.special:
		return "no name server of " + zone + " has a public address, and none was asked: "
	case v.noRoute:
		return "there is no route from here to the name servers of " + zone + ": "
	case v.barred:
		return "this host lets nothing out to the name servers of " + zone + ": "
	}
	return "nothing tells whether " + zone + " or our network is at fault: "
}

// notes are true with any verdict and part of none.
func (z *zone) notes(f *Finding) []string {
	var notes []string
	if f.Kind != SerialMismatch {
		notes = append(notes, f.Serials)
	}
	if len(f.ParentOnly) > 0 {
		notes = append(notes, "only the parent lists "+shortAll(f.ParentOnly))
	}
	if len(f.ChildOnly) > 0 {
		notes = append(notes, "only the zone lists "+shortAll(f.ChildOnly))
	}
	if z.skipped > 0 {
		notes = append(notes, fmt.Sprintf("%d more addresses not asked", z.skipped))
	}
	return notes
}

func shortAll(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = short(n)
	}
	return strings.Join(out, " ")
}
