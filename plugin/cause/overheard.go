package cause

import (
	"time"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

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
		return "Open the way to the primary over TCP port 53: a zone transfer uses TCP only (RFC 5936), so that answers over UDP prove nothing. Test: dig @PRIMARY ZONE AXFR."
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
