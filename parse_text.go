package ede

import (
	"net/netip"
	"strings"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/explain"
	"github.com/seed-1b7246af/coredns-ede/plugin/instance"
)

// This file reads what clients are told: text, upstream, attach and why.

var levels = map[string]cause.Words{"none": cause.NoWords, "brief": cause.BriefWords, "full": cause.FullWords}

func (p *parser) text(args []string) error {
	if len(args) == 0 {
		return p.c.Err("text has no level: want none, brief or full, and after it the networks of the clients that it is for")
	}
	words, ok := levels[args[0]]
	if !ok {
		return p.c.Errf("unknown text level %q: want none, brief or full", args[0])
	}
	rule := explain.TextRule{Words: words}
	for _, arg := range args[1:] {
		n, err := instance.ParseNetwork(arg)
		if err != nil {
			return p.c.Errf("%q is not a network: want an address or a CIDR, for example 192.0.2.0/24 or 2001:db8::/32", arg)
		}
		if p.covered(n) {
			return p.c.Errf("this text line can never match %s: an earlier text line covers it; want networks that no earlier line covers", arg)
		}
		rule.Networks = append(rule.Networks, n)
	}
	if len(rule.Networks) > maxNetworks {
		return p.c.Errf("a text line has %d networks: want at most %d", len(rule.Networks), maxNetworks)
	}
	if len(rule.Networks) == 0 && p.coversAll() {
		return p.c.Err("this text line can never match: an earlier one is for all clients; want the line without networks last")
	}
	p.block.Texts = append(p.block.Texts, rule)
	return nil
}

func (p *parser) covered(n netip.Prefix) bool {
	for _, rule := range p.block.Texts {
		if len(rule.Networks) == 0 {
			return true
		}
		for _, earlier := range rule.Networks {
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

func (p *parser) upstream(args []string) error {
	if len(args) != 1 || args[0] != "keep" && args[0] != "drop" {
		return p.c.Errf("%s: want keep or drop", line("upstream", args))
	}
	p.block.KeepUpstream = args[0] == "keep"
	return nil
}

// attach reads `attach always`, without networks for all clients.
func (p *parser) attach(args []string) error {
	if len(args) == 0 || args[0] != "always" {
		return p.c.Errf("%s: want always, and after it the networks of the clients that get options with every failure", line("attach", args))
	}
	for _, arg := range args[1:] {
		n, err := instance.ParseNetwork(arg)
		if err != nil {
			return p.c.Errf("attach always: %q is not a network: want an address or a CIDR, for example 192.0.2.0/24 or 2001:db8::/32", arg)
		}
		p.block.Always.List = append(p.block.Always.List, n)
	}
	if len(args)-1 > maxNetworks {
		return p.c.Errf("attach always has %d networks: want at most %d", len(args)-1, maxNetworks)
	}
	p.block.Always.All = len(args) == 1
	return nil
}

// answers reads `answers keep [log]`, or `answers drop`, which is what cache does.
func (p *parser) answers(args []string) error {
	switch strings.Join(args, " ") {
	case "keep":
		p.block.KeepAnswers = true
	case "keep log":
		p.block.KeepAnswers, p.block.LogAnswers = true, true
	case "drop":
	default:
		return p.c.Errf("%s: want keep, keep log, or drop", line("answers", args))
	}
	p.settings.KeepsAnswers = p.block.KeepAnswers
	return nil
}

func (p *parser) why(args []string) error {
	if len(args) != 0 {
		return p.c.Errf("%s: want no argument", line("why", args))
	}
	p.block.Why, p.settings.Why = true, true
	return nil
}

// checkWhy fails if nobody can ever get an answer. Properties come in any order, so this
// is known at the end of the directive only.
func (p *parser) checkWhy() error {
	if !p.block.Why {
		return nil
	}
	for _, rule := range p.block.Texts {
		if rule.Words == cause.FullWords {
			return nil
		}
	}
	return p.c.Err("why answers only clients whose text level is full, and no client has that level here: want a text full line, too")
}
