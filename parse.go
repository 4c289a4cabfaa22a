package ede

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/record"
)

// Limits of the numbers in a Corefile.
const (
	minEntries, maxEntries = 100, 1000000
	minWindow, maxWindow   = time.Second, time.Hour
	maxNetworks            = 256
)

// parse reads the ede directive of one server block.
func parse(c *caddy.Controller) (block, settings, error) {
	p := &parser{c: c, block: block{keys: c.ServerBlockKeys, keepUpstream: true}, seen: make(map[string]bool)}
	p.block.serves = plugin.OriginsFromArgsOrServerBlock(nil, c.ServerBlockKeys)
	for i := 0; c.Next(); i++ {
		if i > 0 {
			return block{}, settings{}, c.Err("ede stands twice in this server block: one is accepted, with all its properties")
		}
		if err := p.directive(); err != nil {
			return block{}, settings{}, err
		}
	}
	return p.block, p.settings, nil
}

type parser struct {
	c        *caddy.Controller
	block    block
	settings settings
	seen     map[string]bool
}

func (p *parser) directive() error {
	zones := p.c.RemainingArgs()
	for _, z := range zones {
		if err := p.checkZone(z); err != nil {
			return err
		}
	}
	p.block.zones = plugin.OriginsFromArgsOrServerBlock(zones, p.c.ServerBlockKeys)
	for p.c.NextBlock() {
		if err := p.property(); err != nil {
			return err
		}
	}
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
	{"shadow", false, false, (*parser).shadow},
	{"log", true, false, (*parser).log},
	{"except", false, false, (*parser).except},
	{"memory", false, false, (*parser).memory},
	{"page", false, false, (*parser).page},
	{"why", false, false, (*parser).why},
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
			return p.c.Errf("%s stands twice: one is accepted", name)
		}
		p.seen[name] = true
		args := p.c.RemainingArgs()
		// The dispenser leaves an opening brace to the next argument.
		if !known.block && p.c.NextArg() {
			return p.c.Errf("%s: no block is accepted", line(name, args))
		}
		return known.read(p, args)
	}
	return p.c.Errf("unknown property %q: accepted are %s", name, strings.Join(names, ", "))
}

// line is a property as it stands in the Corefile.
func line(name string, args []string) string {
	return strings.Join(append([]string{name}, args...), " ")
}

// place is where the parser stands, "Corefile:12".
func (p *parser) place() string { return fmt.Sprintf("%s:%d", p.c.File(), p.c.Line()) }

func (p *parser) checkZone(zone string) error {
	if _, ok := dns.IsDomainName(zone); !ok || len(plugin.Host(zone).NormalizeExact()) == 0 {
		return p.c.Errf("%q is not a zone: accepted are domain names and reverse networks, as example.org or 192.0.2.0/24", zone)
	}
	return nil
}

var levels = map[string]cause.Words{"none": cause.NoWords, "brief": cause.BriefWords, "full": cause.FullWords}

func (p *parser) text(args []string) error {
	if len(args) == 0 {
		return p.c.Err("text has no level: accepted are none, brief, full, then the networks of the clients it is for")
	}
	words, ok := levels[args[0]]
	if !ok {
		return p.c.Errf("unknown text level %q: accepted are none, brief, full", args[0])
	}
	rule := textRule{words: words}
	for _, arg := range args[1:] {
		n, err := parseNetwork(arg)
		if err != nil {
			return p.c.Errf("%q is not a network: accepted are addresses and CIDRs, as 192.0.2.0/24 or 2001:db8::/32", arg)
		}
		if p.covered(n) {
			return p.c.Errf("this text line can never match %s: an earlier text line covers it; accepted are networks that none does", arg)
		}
		rule.networks = append(rule.networks, n)
	}
	if len(rule.networks) > maxNetworks {
		return p.c.Errf("a text line has %d networks: at most %d are accepted", len(rule.networks), maxNetworks)
	}
	if len(rule.networks) == 0 && p.coversAll() {
		return p.c.Err("this text line can never match: an earlier one is for all clients already; a text line without networks is accepted as the last only")
	}
	p.block.texts = append(p.block.texts, rule)
	return nil
}

func (p *parser) covered(n netip.Prefix) bool {
	for _, rule := range p.block.texts {
		if len(rule.networks) == 0 {
			return true
		}
		for _, earlier := range rule.networks {
			if earlier.Bits() <= n.Bits() && earlier.Contains(n.Addr()) {
				return true
			}
		}
	}
	return false
}

func (p *parser) coversAll() bool {
	return p.covered(netip.PrefixFrom(netip.IPv4Unspecified(), 0)) && p.covered(netip.PrefixFrom(netip.IPv6Unspecified(), 0))
}

func parseNetwork(s string) (netip.Prefix, error) {
	if n, err := netip.ParsePrefix(s); err == nil {
		return n.Masked(), nil
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return addr.Prefix(addr.BitLen())
}

func (p *parser) upstream(args []string) error {
	if len(args) != 1 || args[0] != "keep" && args[0] != "drop" {
		return p.c.Errf("%s: accepted is one of keep, drop", line("upstream", args))
	}
	p.block.keepUpstream = args[0] == "keep"
	return nil
}

func (p *parser) shadow(args []string) error {
	if len(args) != 0 {
		return p.c.Errf("%s: no argument is accepted", line("shadow", args))
	}
	p.block.shadow = true
	return nil
}

const logAccepts = "accepted are all, off, summary with a duration, client with one of full, prefix, none, instance with a name or off"

func (p *parser) log(args []string) error {
	if len(args) == 0 {
		return p.c.Err("log has no argument: " + logAccepts)
	}
	switch {
	case args[0] == "client":
		return p.logClient(args[1:])
	case args[0] == "instance":
		return p.logInstance(args[1:])
	case p.settings.log.place != "":
		return p.c.Errf("log %s stands beside an earlier log line: one of all, summary, off is accepted", args[0])
	case args[0] == "all" && len(args) == 1:
		p.settings.log = setting[logLine]{logLine{mode: record.LogAll}, p.place()}
	case args[0] == "off" && len(args) == 1:
		p.settings.log = setting[logLine]{logLine{mode: record.LogOff}, p.place()}
	case args[0] == "summary" && len(args) == 2:
		window, err := time.ParseDuration(args[1])
		if err != nil || window < minWindow || window > maxWindow {
			return p.c.Errf("log summary %s: accepted is a duration from %v to %v, as 10s", args[1], minWindow, maxWindow)
		}
		p.settings.log = setting[logLine]{logLine{mode: record.LogSummary, window: window}, p.place()}
	default:
		return p.c.Errf("%s: %s", line("log", args), logAccepts)
	}
	return nil
}

var clientForms = map[string]record.ClientForm{
	"full": record.ClientFull, "prefix": record.ClientPrefix, "none": record.ClientNone,
}

func (p *parser) logClient(args []string) error {
	if p.settings.client.place != "" {
		return p.c.Err("log client stands twice: one is accepted")
	}
	if len(args) == 1 {
		if form, ok := clientForms[args[0]]; ok {
			p.settings.client = setting[record.ClientForm]{form, p.place()}
			return nil
		}
	}
	return p.c.Errf("%s: accepted is one of full, prefix, none", line("log client", args))
}

// noInstance stands for an instance that its lines do not name.
const noInstance = "off"

// instanceName is what may name an instance: a host's or a Pod's name does.
var instanceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,252}$`)

func (p *parser) logInstance(args []string) error {
	if p.settings.instance.place != "" {
		return p.c.Err("log instance stands twice: one is accepted")
	}
	switch {
	case len(args) == 0:
		p.settings.instance.place = p.place()
	case len(args) == 1 && instanceName.MatchString(args[0]):
		p.settings.instance = setting[string]{args[0], p.place()}
	default:
		return p.c.Errf("%s: accepted is nothing, for the host's name, off, or a name of letters, digits and ._:-", line("log instance", args))
	}
	return nil
}

func (p *parser) except(args []string) error {
	if len(args) == 0 {
		return p.c.Err("except has no zone: accepted are domain names")
	}
	for _, z := range args {
		if err := p.checkZone(z); err != nil {
			return err
		}
		p.block.except = append(p.block.except, plugin.Host(z).NormalizeExact()...)
	}
	return nil
}

func (p *parser) memory(args []string) error {
	if len(args) != 1 {
		return p.c.Errf("%s: accepted is one number of entries", line("memory", args))
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < minEntries || n > maxEntries {
		return p.c.Errf("memory %s: accepted is a number of entries from %d to %d", args[0], minEntries, maxEntries)
	}
	p.settings.memory = setting[int]{n, p.place()}
	return nil
}
