package ede

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/coredns/coredns/core/dnsserver"

	"github.com/seed-1b7246af/coredns-ede/plugin/exchange"
	"github.com/seed-1b7246af/coredns-ede/plugin/instance"
)

// Limits of a diagnose block.
const (
	maxRate       = 1000
	maxConcurrent = 64
	maxWait       = 2 * time.Second
	maxCompare    = 8
)

// askAgain reads `ask_again off` or how many questions may be asked again a second.
func (p *parser) askAgain(args []string) error {
	if len(args) == 1 && args[0] == "off" {
		p.block.AskAgainOff = true
		return nil
	}
	if len(args) == 1 {
		if n, err := strconv.Atoi(args[0]); err == nil && n >= 1 && n <= maxRate {
			p.settings.AskAgain = setting(p, n)
			return nil
		}
	}
	return p.c.Errf("%s: want off, or a number of questions a second from 1 to %d", line("ask_again", args), maxRate)
}

var diagnoseProperties = []struct {
	name string
	read func(*parser, *instance.DiagnoseLine, []string) error
}{
	{"rate", (*parser).diagnoseRate},
	{"wait", (*parser).diagnoseWait},
	{"trust_anchor", (*parser).diagnoseAnchor},
	{"compare", (*parser).diagnoseCompare},
	{"delegation", (*parser).diagnoseDelegation},
}

// diagnose reads a diagnose block, which may be empty.
func (p *parser) diagnose(args []string) error {
	if len(args) > 0 {
		return p.c.Errf("%s: want no argument: the properties go into a block", line("diagnose", args))
	}
	l := instance.DefaultDiagnose
	place := p.place()
	p.block.Diagnose, p.settings.Diagnoses = true, true
	// Without a block the properties are those of another server block, or the
	// defaults.
	if !p.c.NextArg() {
		return nil
	}
	seen := make(map[string]bool)
	for {
		if !p.c.Next() {
			return p.c.Err("diagnose is not closed: want a } on a line of its own")
		}
		name := p.c.Val()
		if name == "}" {
			p.settings.Diagnose = instance.Setting[instance.DiagnoseLine]{Value: l, Place: place}
			return nil
		}
		if err := p.diagnoseProperty(&l, name, seen); err != nil {
			return err
		}
	}
}

func (p *parser) diagnoseProperty(l *instance.DiagnoseLine, name string, seen map[string]bool) error {
	var names []string
	for _, known := range diagnoseProperties {
		names = append(names, known.name)
		if known.name != name {
			continue
		}
		if seen[name] {
			return p.c.Errf("diagnose %s stands twice: want it once", name)
		}
		seen[name] = true
		return known.read(p, l, p.c.RemainingArgs())
	}
	return p.c.Errf("unknown property %q of diagnose: want one of %s", name, strings.Join(names, ", "))
}

func (p *parser) diagnoseRate(l *instance.DiagnoseLine, args []string) error {
	numbers := []*int{&l.Rate, &l.Concurrent}
	limits := []int{maxRate, maxConcurrent}
	if len(args) == 0 || len(args) > len(numbers) {
		return p.c.Errf("%s: want one or two numbers: diagnoses a second, and diagnoses at once", line("rate", args))
	}
	for i, arg := range args {
		n, err := strconv.Atoi(arg)
		if err != nil || n < 0 || i == 1 && n == 0 || n > limits[i] {
			return p.c.Errf("%s: want between 0 and %d diagnoses a second, and between 1 and %d diagnoses at once", line("rate", args), maxRate, maxConcurrent)
		}
		*numbers[i] = n
	}
	return nil
}

func (p *parser) diagnoseWait(l *instance.DiagnoseLine, args []string) error {
	if len(args) == 1 {
		if d, err := time.ParseDuration(args[0]); err == nil && d >= 0 && d <= maxWait {
			l.Wait = d
			return nil
		}
	}
	return p.c.Errf("%s: want a duration between 0s and %v", line("wait", args), maxWait)
}

// diagnoseAnchor reads the anchors, to say at once where the file is wrong.
func (p *parser) diagnoseAnchor(l *instance.DiagnoseLine, args []string) error {
	if len(args) != 1 {
		return p.c.Errf("%s: want one file with DS or DNSKEY records", line("trust_anchor", args))
	}
	file := args[0]
	if root := dnsserver.GetConfig(p.c).Root; root != "" && !strings.HasPrefix(file, "/") {
		file = root + "/" + file
	}
	_, err := instance.ReadAnchors(file)
	if unread := new(fs.PathError); errors.As(err, &unread) {
		return p.c.Errf("trust_anchor: %v: want a file with DS or DNSKEY records in zone-file form", err)
	} else if err != nil {
		return p.c.Errf("trust_anchor: %v", err)
	}
	l.Anchors = file
	return nil
}

func (p *parser) diagnoseCompare(l *instance.DiagnoseLine, args []string) error {
	if len(args) == 0 || len(args) > maxCompare {
		return p.c.Errf("%s: want between one and %d resolvers, written as for forward", line("compare", args), maxCompare)
	}
	for _, to := range args {
		u, err := exchange.Open(to, exchange.Timeout)
		if err != nil {
			return p.c.Errf("compare: %v", err)
		}
		u.Close()
	}
	l.Compare = strings.Join(args, " ")
	return nil
}

func (p *parser) diagnoseDelegation(l *instance.DiagnoseLine, args []string) error {
	for _, arg := range args {
		if _, err := instance.ParseNetwork(arg); err != nil {
			return p.c.Errf("delegation: %q is not a network: want an address or a CIDR, for example 192.0.2.0/24", arg)
		}
	}
	l.Delegation, l.Networks = true, strings.Join(args, " ")
	return nil
}
