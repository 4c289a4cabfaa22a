package delegation

import (
	"net/netip"
	"time"

	"github.com/miekg/dns"
)

// Kind is what a Probe found.
type Kind uint8

const (
	Undecided         Kind = iota // nothing is claimed; Text says why
	Healthy                       // at least one server answers usably
	Lame                          // servers reply, none usably
	Unreachable                   // no server replies, and the control did
	NoAddress                     // no server has an address
	SerialMismatch                // the servers that fail lag behind in SOA serial
	DNSKEYUnavailable             // servers answer, but none for the DNSKEY of a signed zone
)

var kindNames = [...]string{
	"undecided", "healthy", "lame", "unreachable", "no_address", "serial_mismatch",
	"dnskey_unavailable",
}

// String returns a stable name, fit for a metric label.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Outcome is what became of a question to one server.
type Outcome uint8

const (
	Unasked        Outcome = iota // not sent, or cut off by the end of the probe
	Answers                       // authoritative answer, NXDOMAIN included
	AnswersBare                   // as Answers, but only to a question without EDNS
	Refers                        // referral to a zone further down
	Refused                       // REFUSED
	ServFail                      // SERVFAIL
	FormErr                       // FORMERR, with and without EDNS
	OtherRcode                    // another failure RCODE
	NotAuth                       // NOTAUTH, or a reply without AA that is no referral down
	UpwardReferral                // referral to a zone above
	Timeout                       // silence
	Closed                        // port closed, connection reset
	Cut                           // answers over UDP, truncated, and not over TCP
	NoRoute                       // network or host unreachable: this host's or a router's word
	Barred                        // this host does not let the question out
	Malformed                     // replies that do not fit the question
	OnlySpecial                   // not sent: the address is special, see Block
	Addressless                   // the server's name has no address
	Unresolved                    // looking up the server's address failed
)

var outcomeNames = [...]string{
	"not asked", "answers", "answers only without EDNS", "refers down", "REFUSED", "SERVFAIL",
	"FORMERR", "failure", "not authoritative", "refers upward", "timed out", "port closed",
	"answers truncated, and not over TCP", "no route", "not let out by this host", "malformed reply", "special-purpose address", "no address", "address lookup failed",
}

// String returns a stable phrase that fits behind a server's name.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "unknown"
}

func (o Outcome) usable() bool { return o == Answers || o == AnswersBare || o == Refers }

// silent outcomes are evidence against the server only with a control.
func (o Outcome) silent() bool { return o == Timeout || o == Closed }

// barred outcomes are no evidence against a server: what says them is this host, or a
// router on the way.
func (o Outcome) barred() bool { return o == NoRoute || o == Barred }

// replied outcomes are failures that the server itself reported.
func (o Outcome) replied() bool {
	return o >= Refused && o <= UpwardReferral || o == Malformed
}

// ServerResult is what one address of a zone's name servers did, or one name
// server without an address that could be asked.
type ServerResult struct {
	Name      string
	Addr      netip.AddrPort // invalid if the server has no address
	Outcome   Outcome        // of the question itself
	Rcode     int            // of the reply, if one came
	SOA       Outcome        // of the question for the zone's SOA
	DNSKEY    Outcome        // of the question for the zone's DNSKEY; Unasked in an unsigned zone
	Serial    uint32         // valid if HasSerial
	HasSerial bool
	Behind    uint32 // RFC 1982 distance to the newest serial of the zone
	RTT       time.Duration
	Block     string // special-purpose block of the address
	// Control is true if something else answered over this server's path after
	// its silence.
	Control bool
	// Rejects is true if the server rejects EDNS, with FORMERR for example.
	Rejects bool
	// ChildOnly marks a server that the zone lists and the parent does not.
	ChildOnly bool
}

func (s ServerResult) label(addr bool) string {
	if addr && s.Addr.IsValid() {
		return short(s.Name) + " (" + s.Addr.Addr().String() + ")"
	}
	return short(s.Name)
}

// partial results are those of servers that are silent to the question alone:
// they are their own control.
func (s ServerResult) partial() bool { return s.Outcome.silent() && s.SOA.usable() }

// serves results are those of servers that have the zone and fail the question.
func (s ServerResult) serves() bool { return s.Outcome.replied() && s.SOA.usable() }

// bare results are those of servers that gave an answer only to a question without EDNS.
func (s ServerResult) bare() bool { return s.Outcome == AnswersBare || s.DNSKEY == AnswersBare }

// cut results are those of servers of which only a truncated answer came.
func (s ServerResult) cut() bool { return s.Outcome == Cut || s.DNSKEY == Cut }

func (s ServerResult) phrase() string {
	switch s.Outcome {
	case OnlySpecial:
		return "has a special-purpose address (" + s.Block + ")"
	case Answers:
		if s.Rcode == dns.RcodeNameError {
			return "answers NXDOMAIN"
		}
	case OtherRcode:
		if s.Rcode == dns.RcodeBadVers {
			return "BADVERS" // which shares its number with the BADSIG of TSIG
		}
		if name, ok := dns.RcodeToString[s.Rcode]; ok {
			return name
		}
	}
	p := s.Outcome.String()
	switch {
	case s.partial():
		p += ", though it answers for the SOA"
	case s.Outcome.barred(), s.Outcome.silent() && !s.Control:
		p += " (not judged)"
	}
	return p
}

// Step is one question of a Probe and what became of it, said for people. Zone is
// the zone whose server was asked.
type Step struct {
	Zone, What string
	OK         bool
}

// Finding is the result of a Probe.
type Finding struct {
	Kind    Kind
	Zone    string // the zone judged
	Servers []ServerResult
	Serials string // how the SOA serials differ, without addresses; empty if they agree
	// ParentOnly and ChildOnly are the name servers that only one side of the
	// cut lists.
	ParentOnly, ChildOnly []string
	// Codes are RFC 8914 INFO-CODEs: 22 for a zone at fault, 0 for one whose
	// lagging servers fail while others answer, none else.
	Codes    []uint16
	Text     string // one line of at most 180 octets, without addresses
	FullText string // one line of at most 1000 octets
	Queries  int
	Steps    []Step // the way to the finding, with addresses
	// Control is true if every silence that the verdict rests on had a positive
	// control; Undecided findings have none.
	Control bool
	// OfQuestion is true if the zone's servers have the zone, and fail this question alone.
	OfQuestion bool
	// FromHere is true if a filter on the way from here explains what was seen as well as a
	// fault of the zone does.
	FromHere bool
}
