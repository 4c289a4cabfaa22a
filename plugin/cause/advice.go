package cause

import (
	"strings"
	"time"

	"github.com/miekg/dns"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// trait is what a code that an upstream sent implies for the operator here.
type trait struct {
	lasts  Lasts
	owner  Owner
	advice string
}

// traits are those of the INFO-CODEs that can come with SERVFAIL or REFUSED;
// others say nothing certain (RFC 8914 section 3: a receiver must not take a
// combination of code and RCODE to make sense).
var traits = map[uint16]trait{
	1:  {Persistent, Nobody, openAdvice[OfDNSSEC] + diagnoseHint},
	2:  {Persistent, Nobody, openAdvice[OfDNSSEC] + diagnoseHint},
	5:  {LastsOpen, Nobody, openAdvice[OfDNSSEC] + diagnoseHint},
	6:  {Persistent, Nobody, openAdvice[OfDNSSEC] + diagnoseHint},
	7:  {Persistent, Nobody, openAdvice[OfDNSSEC] + diagnoseHint},
	8:  {Transient, Nobody, openAdvice[OfDNSSEC] + diagnoseHint},
	9:  {Persistent, Nobody, openAdvice[OfDNSSEC] + diagnoseHint},
	10: {Persistent, Nobody, openAdvice[OfDNSSEC] + diagnoseHint},
	11: {Persistent, Nobody, openAdvice[OfDNSSEC] + diagnoseHint},
	12: {Persistent, Nobody, openAdvice[OfDNSSEC] + diagnoseHint},
	13: {Transient, Upstream, "The upstream answered from its cache of failures; ask again in some seconds."},
	14: {Transient, Upstream, "The upstream is starting or not ready; ask again, or look at its log."},
	15: {Persistent, Upstream, "The upstream blocks the name by its own policy; ask the upstream's operator."},
	16: {Persistent, Upstream, "The upstream has to block the name; the upstream's operator can say who ordered this."},
	17: {Persistent, Upstream, "The upstream filters the name at the request of its customer; look at the filter's settings there."},
	18: {Persistent, Upstream, "The upstream does not serve this server: check allow-query and allow-recursion there."},
	20: {Persistent, Us, "The upstream is not authoritative for the name and does not recurse: forward to a resolver."},
	21: {Persistent, Client, "The upstream does not support what was asked."},
	22: {LastsOpen, Nobody, openAdvice[OfReach] + diagnoseHint},
	23: {Transient, Nobody, openAdvice[OfReach] + diagnoseHint},
	24: {LastsOpen, Nobody, "The upstream has or received invalid data for the zone. Look at its zone file, its transfer and its log, then at the zone's name servers."},
	25: {Persistent, Nobody, openAdvice[OfDNSSEC] + diagnoseHint},
	27: {Persistent, Nobody, openAdvice[OfDNSSEC] + diagnoseHint},
	31: {Transient, Us, "The upstream limits the rate of this server: ask the upstream's operator to raise the limit, or let the cache plugin keep more answers here."},
	32: {Persistent, Us, "The quota of this server at the upstream is used up."},
	35: {Persistent, Upstream, "A server behind the upstream blocks the name."},
}

// refusedNotReady is what 14 Not Ready means with REFUSED: dnsmasq says so of a name
// that none of its servers is for, and will say it again.
var refusedNotReady = trait{
	Persistent, Upstream,
	"The upstream has no server to ask for this name (dnsmasq answers 14 in this case). Configure a server for the name on the upstream, or forward the name's zone elsewhere.",
}

func traitOf(code uint16, rcode int) (trait, bool) {
	if code == notReady && rcode == dns.RcodeRefused {
		return refusedNotReady, true
	}
	t, ok := traits[code]
	return t, ok
}

// AdviceOn returns the advice for c on an answer with this rcode and these INFO-CODEs. If the
// upstream gave a reason, the most telling code decides.
func (c *Cause) AdviceOn(codes []uint16, rcode int) string {
	if t, ok := traitOf(MostTelling(codes), rcode); ok && len(codes) > 0 && c == upstreamEDE {
		return t.advice
	}
	return strings.TrimSpace(c.Advice)
}

// MostTelling returns the code that says the most. A weaker one, such as 13 Cached Error, is
// returned only if there is no other. It returns 0 for no codes.
func MostTelling(codes []uint16) uint16 {
	statements := make([]Statement, len(codes))
	for i, code := range codes {
		statements[i] = Statement{Code: code, FromUpstream: true}
	}
	told := telling(statements)
	if i := mostTelling(told, dns.RcodeServerFailure); i >= 0 {
		return told[i].Code
	}
	if len(told) > 0 {
		return told[0].Code
	}
	return 0
}

// mostTelling returns the index of the first statement whose code has a trait, a Cached
// Error only if there is no other; -1 if none has one.
func mostTelling(told []Statement, rcode int) int {
	best := -1
	for i, s := range told {
		if _, ok := traitOf(s.Code, rcode); !ok {
			continue
		}
		if s.Code != cachedError {
			return i
		}
		if best < 0 {
			best = i
		}
	}
	return best
}

// byCodes lets the most telling of the codes that the upstream sent decide.
func (v *Verdict) byCodes() {
	told := telling(v.Statements)
	if i := mostTelling(told, v.rcode); i >= 0 {
		t, _ := traitOf(told[i].Code, v.rcode)
		v.Lasts, v.Owner, v.Advice = t.lasts, t.owner, t.advice
	}
}

// Code is the INFO-CODE that says the most of v.
func (v *Verdict) Code() uint16 {
	if v.Cause == upstreamEDE {
		return MostTelling(v.Codes())
	}
	if len(v.Statements) > 0 {
		return v.Statements[0].Code
	}
	return v.Cause.Code
}

// ByReason reports whether failures of v are told apart by the rcode and the code, since
// the cause says no more than that the upstream gave a reason.
func (v *Verdict) ByReason() bool { return v.Cause == upstreamEDE }

// diagnoseHint is the end of an advice where nothing is diagnosed.
const diagnoseHint = " With diagnose, ede looks for the reason itself."

// InDiagnosis returns v for a server block that has diagnose already.
func (v *Verdict) InDiagnosis() *Verdict {
	advice, hinted := strings.CutSuffix(v.Advice, diagnoseHint)
	if !hinted {
		return v
	}
	w := *v
	w.Advice = advice
	return &w
}

// settled is how long a plugin has to have complained until its failure is no longer
// taken for one that passes by itself, as while a server starts.
const settled = time.Minute

// ofData holds the causes that are about a plugin's data, which it may have logged an
// error about.
var ofData = map[*Cause]bool{
	zoneNotLoaded: true, zoneExpired: true, zoneUnusable: true, backendNotReady: true, backendUnreachable: true, updateFailed: true,
}

// byOverheard adds to v what its plugin logged about its data: how long that goes on,
// and what to do about an error of that kind.
func (v *Verdict) byOverheard(e *ev.Evidence) {
	if !ofData[v.Cause] {
		return
	}
	v.Advice = adviceOnData(v.Cause, e, v.Advice)
	if e.Overheard.Text != "" && e.Overheard.Lasted >= settled {
		v.Lasts = Persistent
	}
}

func adviceOnData(c *Cause, e *ev.Evidence, otherwise string) string {
	switch reason := e.Overheard.Reason; {
	case e.At == "secondary" && (c == zoneNotLoaded || c == zoneExpired):
		return adviceOnTransfer(reason)
	case c == zoneNotLoaded && (e.At == "file" || e.At == "auto"):
		return "Check that the zone file exists, that this server may read it, and that it parses; the text or the log at start has the error."
	case e.At == "kubernetes" && reason == ev.Forbidden:
		return "Let the ClusterRole of this server (system:coredns) list and watch what the error names: endpoints, services, pods, namespaces, and endpointslices of discovery.k8s.io."
	case e.At == "kubernetes" && e.Overheard.Text != "":
		return "Read the error of the Kubernetes API in the text: check the address, the network between, and the token and certificate of this server."
	}
	return otherwise
}

func adviceOnTransfer(reason ev.Reason) string {
	switch reason {
	case ev.Silent, ev.SilentOverTCP, ev.NotListening, ev.NoRoute:
		return "Let this server reach the primary over TCP port 53: a zone transfer uses TCP only (RFC 5936), so an answer over UDP proves nothing. Test: dig @PRIMARY ZONE AXFR."
	case ev.TransferRefused:
		return "Let the primary transfer the zone to this server's address (allow-transfer in BIND, provide-xfr in NSD), and check that it serves the zone."
	case ev.HungUp:
		return "The primary closes the connection: check that it serves the zone and allows the transfer, and look at its log."
	}
	return "Check that the primary can be reached over TCP and allows the transfer: dig @PRIMARY ZONE AXFR from here."
}

// overheard is the logged error for those who may read all.
func overheard(e *ev.Evidence) string {
	if e.Overheard.Text == "" {
		return ""
	}
	return "; last error " + clock(e.Overheard.Last) + ": " + e.Overheard.Text
}

// reason is the kind of the logged error for everybody.
func reason(e *ev.Evidence) string {
	if what := reasonWords[e.Overheard.Reason]; what != "" {
		return ": " + what
	}
	return ""
}

var reasonWords = map[ev.Reason]string{
	ev.Forbidden:       "reading it is forbidden",
	ev.TransferRefused: "the transfer is refused",
	ev.NoFile:          "a file does not exist",
	ev.NoHost:          "a host name has no address",
	ev.Untrusted:       "TLS fails",
	ev.NotListening:    "the connection is refused",
	ev.NoRoute:         "there is no route",
	ev.Silent:          "no reply in time",
	ev.SilentOverTCP:   "no reply over TCP",
	ev.HungUp:          "the connection is closed",
	ev.Unreadable:      "it does not parse",
}
