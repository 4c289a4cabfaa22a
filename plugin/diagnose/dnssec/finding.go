package dnssec

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Status is the outcome of a validation, RFC 4035 section 4.3.
type Status uint8

// Undecided is what RFC 4035 calls indeterminate: the evidence could not be had.
const (
	Undecided Status = iota
	Secure
	Insecure
	Bogus
)

func (s Status) String() string {
	switch s {
	case Secure:
		return "secure"
	case Insecure:
		return "insecure"
	case Bogus:
		return "bogus"
	}
	return "undecided"
}

// Finding is what one validation found. A Secure or plain Insecure finding has
// no codes.
type Finding struct {
	Status Status
	// Codes are RFC 8914 INFO-CODEs, the most specific first.
	Codes []uint16
	// Zone judges (its keys, or its data) the RRset of Owner and Type that is at
	// fault, or with which the chain ended.
	Zone, Owner string
	Type        uint16
	// KeyTag, Algorithm and the times describe the signature, key or DS at
	// fault; zero where none is meant.
	KeyTag                uint16
	Algorithm             uint8
	Inception, Expiration time.Time
	// Foreign says of an Insecure finding that other validators may support what
	// is not supported here, and then judge the zone.
	Foreign bool
	// Text is one sentence of names, numbers and times, at most 180 octets.
	Text string
	// Clock says that by this machine's clock neither the signatures of a trust anchor's
	// zone nor those of another one are in their time: the clock is suspect, not a zone.
	Clock bool
	// Old says of an Undecided finding that the root's signatures had expired before
	// another zone made one: the resolver's copy of the root is old.
	Old bool
	// Anchored says that the keys of a trust anchor's zone hold.
	Anchored bool
	// Silent says of an Undecided finding that a question got no reply.
	Silent bool
	// Stripped says of an Undecided finding that neither the trust anchor's zone nor the
	// root came with signatures.
	Stripped bool
	// Keyless says that the zone answers and its DNSKEY cannot be fetched: it is asked
	// for and failed, or, where the finding is Silent too, not replied to.
	Keyless bool
	// Unsigned are the records of a Bogus finding about an RRset that came without
	// a signature, Standing what the zone's signed records say of it, and Denied
	// the name that these deny.
	Unsigned []dns.RR
	Standing Standing
	Denied   string
	// Bare says of a Bogus finding that nothing of its zone's answer came signed: it may
	// be the zone that lost its signatures, or an answer that is not the zone's.
	Bare bool
	// Withheld says of an Undecided finding that the resolver answered, and kept
	// what was asked to itself. Reached is the zone of it, or the nearest one above,
	// whose keys hold; it is empty if there is none.
	Withheld bool
	Reached  string
	Queries  int
	// Steps is the trace from the anchor down.
	Steps []Step
}

// Step is one link of the chain, said for people.
type Step struct {
	Zone string
	What string
	OK   bool
}

const (
	maxText  = 180
	maxSteps = 120
	// shownName bounds a name in a text; three of them and the words around
	// them fit into maxText.
	shownName = 48
)

func finding(s Status, zone, owner string, t uint16, codes []uint16, format string, a ...any) *Finding {
	text := fmt.Sprintf(format, a...)
	if len(text) > maxText {
		// Texts are ASCII: names are in presentation form.
		text = text[:maxText-3] + "..."
	}
	return &Finding{Status: s, Zone: zone, Owner: owner, Type: t, Codes: codes, Text: text}
}

func bogus(code uint16, zone, owner string, t uint16, format string, a ...any) *Finding {
	return finding(Bogus, zone, owner, t, []uint16{code}, format, a...)
}

func undecided(zone, owner string, t uint16, format string, a ...any) *Finding {
	return finding(Undecided, zone, owner, t, nil, format, a...)
}

// aboutKey records which key or DS a finding is about.
func (f *Finding) aboutKey(tag uint16, alg uint8) *Finding {
	f.KeyTag, f.Algorithm = tag, alg
	return f
}

// aboutSignature records which signature a finding is about.
func (f *Finding) aboutSignature(sig *dns.RRSIG, now time.Time) *Finding {
	f.KeyTag, f.Algorithm = sig.KeyTag, sig.Algorithm
	f.Inception, f.Expiration = serialTime(sig.Inception, now), serialTime(sig.Expiration, now)
	return f
}

func (r *run) step(ok bool, zone, format string, a ...any) {
	if len(r.steps) < maxSteps {
		r.steps = append(r.steps, Step{Zone: zone, What: fmt.Sprintf(format, a...), OK: ok})
	}
}

// short keeps the first label readable and as much of the end as fits, cut at a
// label: both the host and the zone matter to a reader.
func short(name string) string {
	if len(name) <= shownName {
		return name
	}
	head := name[:12]
	if i := strings.IndexByte(head, '\\'); i >= 0 {
		head = head[:i]
	}
	idx := dns.Split(name)
	for _, i := range idx {
		if len(name)-i <= shownName-len(head)-3 {
			return head + "..." + name[i:]
		}
	}
	return head + "..."
}

func typeName(t uint16) string { return dns.Type(t).String() }

func algorithmName(a uint8) string {
	if s, ok := dns.AlgorithmToString[a]; ok {
		return s
	}
	return "algorithm " + strconv.Itoa(int(a))
}

func digestName(d uint8) string {
	switch d {
	case dns.SHA1:
		return "SHA-1"
	case dns.SHA256:
		return "SHA-256"
	case dns.SHA384:
		return "SHA-384"
	}
	return "digest type " + strconv.Itoa(int(d))
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// tags lists key tags for a text, the first eight.
func tags(keys []*dns.DNSKEY) string {
	if len(keys) == 0 {
		return "none"
	}
	var b strings.Builder
	for i, k := range keys {
		if i == 8 {
			b.WriteString(", ...")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Itoa(int(k.KeyTag())))
	}
	return b.String()
}
