package ede

import (
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/instance"
	"github.com/seed-1b7246af/coredns-ede/plugin/record"
)

// This file reads what operators see: log and page.

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
	case p.settings.Log.Place != "":
		return p.c.Errf("log %s stands beside an earlier log line: one of all, summary, off is accepted", args[0])
	case args[0] == "all" && len(args) == 1:
		p.settings.Log = setting(p, instance.LogLine{Mode: record.LogAll})
	case args[0] == "off" && len(args) == 1:
		p.settings.Log = setting(p, instance.LogLine{Mode: record.LogOff})
	case args[0] == "summary" && len(args) == 2:
		window, err := time.ParseDuration(args[1])
		if err != nil || window < minWindow || window > maxWindow {
			return p.c.Errf("log summary %s: accepted is a duration from %v to %v, as 10s", args[1], minWindow, maxWindow)
		}
		p.settings.Log = setting(p, instance.LogLine{Mode: record.LogSummary, Window: window})
	default:
		return p.c.Errf("%s: %s", line("log", args), logAccepts)
	}
	return nil
}

var clientForms = map[string]record.ClientForm{
	"full": record.ClientFull, "prefix": record.ClientPrefix, "none": record.ClientNone,
}

func (p *parser) logClient(args []string) error {
	if p.settings.Client.Place != "" {
		return p.c.Err("log client stands twice: one is accepted")
	}
	if len(args) == 1 {
		if form, ok := clientForms[args[0]]; ok {
			p.settings.Client = setting(p, form)
			return nil
		}
	}
	return p.c.Errf("%s: accepted is one of full, prefix, none", line("log client", args))
}

// instanceName is what may name an instance: a host's or a Pod's name does.
var instanceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,252}$`)

func (p *parser) logInstance(args []string) error {
	if p.settings.Instance.Place != "" {
		return p.c.Err("log instance stands twice: one is accepted")
	}
	switch {
	case len(args) == 0:
		p.settings.Instance.Place = p.place()
	case len(args) == 1 && instanceName.MatchString(args[0]):
		p.settings.Instance = setting(p, args[0])
	default:
		return p.c.Errf("%s: accepted is nothing, for the host's name, off, or a name of letters, digits and ._:-", line("log instance", args))
	}
	return nil
}

func (p *parser) page(args []string) error {
	if len(args) != 1 {
		return p.c.Errf("%s: accepted is one address with a port, as 127.0.0.1:9163", line("page", args))
	}
	host, port, err := net.SplitHostPort(args[0])
	if err == nil && host != "localhost" {
		_, err = netip.ParseAddr(host)
	}
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || strconv.FormatUint(n, 10) != port {
		return p.c.Errf("page %s: accepted is an IP address or localhost with a port, as 127.0.0.1:9163", args[0])
	}
	p.settings.Page = setting(p, args[0])
	return nil
}
