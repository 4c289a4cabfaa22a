// Package record writes down what failed: log lines, metrics and metadata
// labels, the places where operators look already. It decides nothing; the verdict is
// there when it is called.
package record

import (
	"net/netip"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
)

// Sent says what became of the verdict on the wire.
type Sent string

const (
	// SentYes: the answer has the EDE options of the verdict, be it that the plugin had put
	// them there already.
	SentYes Sent = "true"
	// NoEDNS: the query had no OPT record, so the answer has none.
	NoEDNS Sent = "no_edns"
	// NoInterest: the answer is a SERVFAIL, and the query showed no interest in
	// reasons, so that the answer left as the chain made it, with an EDE that an
	// upstream put into it.
	NoInterest Sent = "no_interest"
	// Dropped: the chain sent no answer on purpose. It stands in summaries only.
	Dropped Sent = "dropped"
	// InShadow: the block only records.
	InShadow Sent = "shadow"
	// NotSent: nothing was attached, as to a panic, to a truncated reply or where
	// there was no room, or no text may be sent and there is nothing without one.
	NotSent Sent = "off"
)

// Failure is one failed query with its verdict.
type Failure struct {
	Time    time.Time
	Verdict *cause.Verdict
	Rcode   int

	// Server is the listener, "dns://:53"; Zone and View are of the server
	// block; Protocol is udp, tcp, tls, https, https3, quic or grpc.
	Server, Zone, View, Protocol string
	Client                       netip.AddrPort
	// Pod is the client's, if the kubernetes plugin knows it.
	Pod             Pod
	ID              uint16
	Question, Asked dns.Question
	Duration        time.Duration
	Cached          bool
	Sent            Sent
	// Error is the plugin's error, sanitized, without local ports.
	Error string
	// Group is the zone that the failure counts under in summaries.
	Group string
	// First is true for the first failure of an incident: its line bears the
	// advice.
	First bool
	// Incident is what the failure counts under in summaries.
	Incident incident.ID
}

// The reasons of NotSent, which the log does not tell apart.
const (
	inPanic = "panic"
	noRoom  = "no_room"
)

// reasonNotSent is why no option of ede is in the answer, as the metric names it: one of
// no_edns, no_interest, shadow, panic and no_room, which also stands for a
// truncated reply and for nothing that may be said. It is "" if there is one.
func (f *Failure) reasonNotSent() string {
	switch f.Sent {
	case SentYes:
		return ""
	case NoEDNS, NoInterest, InShadow:
		return string(f.Sent)
	}
	if f.Verdict.Cause.ID == "panic" {
		return inPanic
	}
	return noRoom
}
