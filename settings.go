package ede

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
	"github.com/seed-1b7246af/coredns-ede/plugin/record"
)

// settings are the limits that all server blocks of a process share. Each
// remembers where it was written, since two blocks must not differ.
type settings struct {
	memory setting[int]
	log    setting[logLine]
	client setting[record.ClientForm]
	// instance is what log instance says: a name, or noInstance.
	instance setting[string]
	// diagnoses is true if a server block diagnoses, and diagnose what a diagnose
	// block says, if there is one.
	diagnoses bool
	diagnose  setting[diagnoseLine]
	// page is the address of the live page.
	page setting[string]
	// why is true if any block answers why.
	why bool
}

// diagnoseLine is a diagnose block. Lists are kept as the words of the
// Corefile, so that two blocks can be compared.
type diagnoseLine struct {
	rate, concurrent     int
	wait                 time.Duration
	anchors              string
	compare, networkList string
	delegation           bool
}

func (l diagnoseLine) compared() []string { return strings.Fields(l.compare) }

// networks are those that the zone's own servers may be asked in besides the
// globally routable ones. parse has checked them.
func (l diagnoseLine) networks() []netip.Prefix {
	var networks []netip.Prefix
	for _, word := range strings.Fields(l.networkList) {
		if n, err := parseNetwork(word); err == nil {
			networks = append(networks, n)
		}
	}
	return networks
}

// logLine is a log line of the Corefile.
type logLine struct {
	mode   record.Mode
	window time.Duration
}

// setting is a value and the place in the Corefile that sets it, empty if none
// does.
type setting[T comparable] struct {
	value T
	place string
}

// take takes over other if it is set, and fails if both are set and differ.
func (s *setting[T]) take(name string, other setting[T]) error {
	switch {
	case other.place == "":
		return nil
	case s.place == "":
		*s = other
		return nil
	case s.value != other.value:
		return fmt.Errorf("%s - Error during parsing: %s differs from that of %s: accepted is one for all server blocks, in one of them or the same in all",
			other.place, name, s.place)
	}
	return nil
}

// merge takes over what another block sets.
func (s *settings) merge(other settings) error {
	s.diagnoses = s.diagnoses || other.diagnoses
	if err := s.memory.take("memory", other.memory); err != nil {
		return err
	}
	if err := s.log.take("log", other.log); err != nil {
		return err
	}
	if err := s.client.take("log client", other.client); err != nil {
		return err
	}
	if err := s.instance.take("log instance", other.instance); err != nil {
		return err
	}
	if err := s.page.take("page", other.page); err != nil {
		return err
	}
	s.why = s.why || other.why
	return s.diagnose.take("diagnose", other.diagnose)
}

func (s settings) diagnoseLine() diagnoseLine {
	if s.diagnose.place == "" {
		return defaultDiagnose
	}
	return s.diagnose.value
}

func (s settings) entries() int {
	if s.memory.place == "" {
		return incident.DefaultEntries
	}
	return s.memory.value
}

func (s settings) logOptions() record.Options {
	o := record.Options{Mode: s.log.value.mode, Window: s.log.value.window, Client: s.client.value}
	o.Instance, o.InstanceInText = s.instance.value, s.instance.place != ""
	switch o.Instance {
	case noInstance:
		o.Instance = ""
	case "":
		// Without a name lines are no worse than those of one process alone.
		o.Instance, _ = os.Hostname()
	}
	return o
}
