// Package instance is what a load of the Corefile and a reload do: it puts together what
// the server blocks of one load share, starts it, hands over what the load before
// remembers, and stops it. caddy hands nothing from one load to the next.
package instance

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/askagain"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
	"github.com/seed-1b7246af/coredns-ede/plugin/record"
)

// Settings are the limits that all server blocks of a process share. Each
// remembers where it was written, since two blocks must not differ.
type Settings struct {
	Memory Setting[int]
	Log    Setting[LogLine]
	Client Setting[record.ClientForm]
	// Instance is the value of `log instance`: a name, "" for the host's, or noInstance.
	Instance Setting[string]
	// Diagnoses is true if a server block diagnoses, and Diagnose what a diagnose
	// block says, if there is one.
	Diagnoses bool
	Diagnose  Setting[DiagnoseLine]
	// Page is the address of the live page.
	Page Setting[string]
	// Why is true if any block answers why.
	Why bool
	// KeepsAnswers is true if any block keeps what is said of answers that did not fail.
	KeepsAnswers bool
	// AsksAgain is true if any block asks failing questions again, and AskAgain how many
	// a second, if a block says so.
	AsksAgain bool
	AskAgain  Setting[int]
}

// DiagnoseLine is a diagnose block. Lists are kept as the words of the
// Corefile, so that two blocks can be compared.
type DiagnoseLine struct {
	// Rate is how many diagnoses start a second, Concurrent how many run at once.
	Rate, Concurrent int
	// Wait is how long an answer is held for one.
	Wait time.Duration
	// Anchors is a file of trust anchors, "" for the root's that are built in.
	Anchors string
	// Compare are resolvers to ask, Networks those where a zone's own servers may be
	// asked.
	Compare, Networks string
	Delegation        bool
}

func (l DiagnoseLine) compared() []string { return strings.Fields(l.Compare) }

// networks are those that the zone's own servers may be asked in, in addition to the globally
// routable ones.
func (l DiagnoseLine) networks() []netip.Prefix {
	var networks []netip.Prefix
	for _, word := range strings.Fields(l.Networks) {
		// They were checked when the Corefile was read.
		if n, err := ParseNetwork(word); err == nil {
			networks = append(networks, n)
		}
	}
	return networks
}

// ParseNetwork reads an address or a CIDR.
func ParseNetwork(s string) (netip.Prefix, error) {
	if n, err := netip.ParsePrefix(s); err == nil {
		return n.Masked(), nil
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return addr.Prefix(addr.BitLen())
}

// DefaultDiagnose is what a diagnose without a block stands for.
var DefaultDiagnose = DiagnoseLine{Rate: 5, Concurrent: 4}

// LogLine is a log line of the Corefile.
type LogLine struct {
	Mode   record.Mode
	Window time.Duration
}

// Setting is a value and the place in the Corefile that sets it, empty if none
// does.
type Setting[T comparable] struct {
	Value T
	Place string
}

// take takes over other if it is set, and fails if both are set and differ.
func (s *Setting[T]) take(name string, other Setting[T]) error {
	switch {
	case other.Place == "":
		return nil
	case s.Place == "":
		*s = other
		return nil
	case s.Value != other.Value:
		return fmt.Errorf("%s - Error during parsing: %s differs from that of %s: want one value for all server blocks, written in one of them or the same in all",
			other.Place, name, s.Place)
	}
	return nil
}

// Merge takes over what another block sets. The error tells two blocks that differ.
func (s *Settings) Merge(other Settings) error {
	s.Diagnoses = s.Diagnoses || other.Diagnoses
	if err := s.Memory.take("memory", other.Memory); err != nil {
		return err
	}
	if err := s.Log.take("log", other.Log); err != nil {
		return err
	}
	if err := s.Client.take("log client", other.Client); err != nil {
		return err
	}
	if err := s.Instance.take("log instance", other.Instance); err != nil {
		return err
	}
	if err := s.Page.take("page", other.Page); err != nil {
		return err
	}
	s.Why = s.Why || other.Why
	s.AsksAgain = s.AsksAgain || other.AsksAgain
	s.KeepsAnswers = s.KeepsAnswers || other.KeepsAnswers
	if err := s.AskAgain.take("ask_again", other.AskAgain); err != nil {
		return err
	}
	return s.Diagnose.take("diagnose", other.Diagnose)
}

func (s Settings) diagnoseLine() DiagnoseLine {
	if s.Diagnose.Place == "" {
		return DefaultDiagnose
	}
	return s.Diagnose.Value
}

func (s Settings) askAgainRate() int {
	if s.AskAgain.Place == "" {
		return askagain.DefaultRate
	}
	return s.AskAgain.Value
}

func (s Settings) entries() int {
	if s.Memory.Place == "" {
		return incident.DefaultEntries
	}
	return s.Memory.Value
}

// noInstance stands for an instance that its lines do not name.
const noInstance = "off"

func (s Settings) logOptions() record.Options {
	o := record.Options{Mode: s.Log.Value.Mode, Window: s.Log.Value.Window, Client: s.Client.Value}
	o.Instance, o.InstanceInText = s.Instance.Value, s.Instance.Place != ""
	switch o.Instance {
	case noInstance:
		o.Instance = ""
	case "":
		// Without a name lines are no worse than those of one process alone.
		o.Instance, _ = os.Hostname()
	}
	return o
}
