package ede

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/plugin"

	"github.com/seed-1b7246af/coredns-ede/plugin/explain"
	"github.com/seed-1b7246af/coredns-ede/plugin/instance"
	"github.com/seed-1b7246af/coredns-ede/plugin/preflight"

	"github.com/miekg/dns"
)

// Limits of the numbers in a Corefile.
const (
	minEntries, maxEntries = 100, 1000000
	minWindow, maxWindow   = time.Second, time.Hour
	maxNetworks            = 256
)

// parse reads the ede directive of one server block.
func parse(c *caddy.Controller) (explain.Block, instance.Settings, error) {
	p := &parser{c: c, block: explain.Block{Keys: c.ServerBlockKeys, KeepUpstream: true}, seen: make(map[string]bool)}
	p.block.Serves = plugin.OriginsFromArgsOrServerBlock(nil, c.ServerBlockKeys)
	for i := 0; c.Next(); i++ {
		if i > 0 {
			return explain.Block{}, instance.Settings{}, c.Err("ede stands twice in this server block: want one, with all its properties")
		}
		if err := p.directive(); err != nil {
			return explain.Block{}, instance.Settings{}, err
		}
	}
	return p.block, p.settings, nil
}

type parser struct {
	c        *caddy.Controller
	block    explain.Block
	settings instance.Settings
	seen     map[string]bool
}

func (p *parser) directive() error {
	zones := p.c.RemainingArgs()
	for _, z := range zones {
		if err := p.checkZone(z); err != nil {
			return err
		}
	}
	p.block.Zones = plugin.OriginsFromArgsOrServerBlock(zones, p.c.ServerBlockKeys)
	for p.c.NextBlock() {
		if err := p.property(); err != nil {
			return err
		}
	}
	p.settings.AsksAgain = !p.block.AskAgainOff
	return p.checkWhy()
}

// properties in the order of the README.
var properties = []struct {
	name string
	// repeats is true for a property that may stand more than once, block for
	// one with properties of its own.
	repeats, block bool
	read           func(*parser, []string) error
}{
	{"text", true, false, (*parser).text},
	{"upstream", false, false, (*parser).upstream},
	{"attach", false, false, (*parser).attach},
	{"shadow", false, false, (*parser).shadow},
	{"log", true, false, (*parser).log},
	{"except", false, false, (*parser).except},
	{"memory", false, false, (*parser).memory},
	{"page", false, false, (*parser).page},
	{"why", false, false, (*parser).why},
	{"ignore", true, false, (*parser).ignore},
	{"ask_again", false, false, (*parser).askAgain},
	{"answers", false, false, (*parser).answers},
	{"diagnose", false, true, (*parser).diagnose},
}

func (p *parser) property() error {
	name := p.c.Val()
	var names []string
	for _, known := range properties {
		names = append(names, known.name)
		if known.name != name {
			continue
		}
		if p.seen[name] && !known.repeats {
			return p.c.Errf("%s stands twice: want it once", name)
		}
		p.seen[name] = true
		args := p.c.RemainingArgs()
		// The dispenser leaves an opening brace to the next argument.
		if !known.block && p.c.NextArg() {
			return p.c.Errf("%s: want no block here", line(name, args))
		}
		return known.read(p, args)
	}
	return p.c.Errf("unknown property %q: want one of %s", name, strings.Join(names, ", "))
}

// line is a property as it stands in the Corefile.
func line(name string, args []string) string {
	return strings.Join(append([]string{name}, args...), " ")
}

// setting is value, set where the parser stands.
func setting[T comparable](p *parser, value T) instance.Setting[T] {
	return instance.Setting[T]{Value: value, Place: p.place()}
}

// place is where the parser stands, "Corefile:12".
func (p *parser) place() string { return fmt.Sprintf("%s:%d", p.c.File(), p.c.Line()) }

func (p *parser) checkZone(zone string) error {
	if _, ok := dns.IsDomainName(zone); !ok || len(plugin.Host(zone).NormalizeExact()) == 0 {
		return p.c.Errf("%q is not a zone: want a domain name or a reverse network, for example example.org or 192.0.2.0/24", zone)
	}
	return nil
}

func (p *parser) shadow(args []string) error {
	if len(args) != 0 {
		return p.c.Errf("%s: want no argument", line("shadow", args))
	}
	p.block.Shadow = true
	return nil
}

func (p *parser) except(args []string) error {
	if len(args) == 0 {
		return p.c.Err("except has no zone: want one or more domain names")
	}
	for _, z := range args {
		if err := p.checkZone(z); err != nil {
			return err
		}
		p.block.Except = append(p.block.Except, plugin.Host(z).NormalizeExact()...)
	}
	return nil
}

// ignore names warnings that preflight reads from the Corefile itself.
func (p *parser) ignore(args []string) error {
	if len(args) == 0 {
		return p.c.Err("ignore has no code: want codes from docs/checks.md, for example never-asked")
	}
	for _, code := range args {
		if !slices.Contains(preflight.Codes(), code) {
			return p.c.Errf("ignore %s: want a code from docs/checks.md: %s", code, strings.Join(preflight.Codes(), ", "))
		}
	}
	return nil
}

func (p *parser) memory(args []string) error {
	if len(args) != 1 {
		return p.c.Errf("%s: want one number of entries", line("memory", args))
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < minEntries || n > maxEntries {
		return p.c.Errf("memory %s: want a number of entries between %d and %d", args[0], minEntries, maxEntries)
	}
	p.settings.Memory = setting(p, n)
	return nil
}
