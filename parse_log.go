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

const logWants = "want all, off, summary with a duration, client with one of full, prefix, none, or instance with a name or off"

func (p *parser) log(args []string) error {
	if len(args) == 0 {
		return p.c.Err("log has no argument: " + logWants)
	}
	switch {
	case args[0] == "client":
		return p.logClient(args[1:])
	case args[0] == "instance":
		return p.logInstance(args[1:])
	case p.settings.Log.Place != "":
		return p.c.Errf("log %s follows an earlier log line: want only one of all, summary, off", args[0])
	case args[0] == "all" && len(args) == 1:
		p.settings.Log = setting(p, instance.LogLine{Mode: record.LogAll})
	case args[0] == "off" && len(args) == 1:
		p.settings.Log = setting(p, instance.LogLine{Mode: record.LogOff})
	case args[0] == "summary" && len(args) == 2:
		window, err := time.ParseDuration(args[1])
		if err != nil || window < minWindow || window > maxWindow {
			return p.c.Errf("log summary %s: want a duration between 1s and 1h, for example 10s", args[1])
		}
		p.settings.Log = setting(p, instance.LogLine{Mode: record.LogSummary, Window: window})
	default:
		return p.c.Errf("%s: %s", line("log", args), logWants)
	}
	return nil
}

var clientForms = map[string]record.ClientForm{
	"full": record.ClientFull, "prefix": record.ClientPrefix, "none": record.ClientNone,
}

func (p *parser) logClient(args []string) error {
	if p.settings.Client.Place != "" {
		return p.c.Err("log client stands twice: want it once")
	}
	if len(args) == 1 {
		if form, ok := clientForms[args[0]]; ok {
			p.settings.Client = setting(p, form)
			return nil
		}
	}
	return p.c.Errf("%s: want one of full, prefix, none", line("log client", args))
}

// instanceName is what may name an instance: a host's or a Pod's name does.
var instanceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,252}$`)

func (p *parser) logInstance(args []string) error {
	if p.settings.Instance.Place != "" {
		return p.c.Err("log instance stands twice: want it once")
	}
	switch {
	case len(args) == 0:
		p.settings.Instance.Place = p.place()
	case len(args) == 1 && instanceName.MatchString(args[0]):
		p.settings.Instance = setting(p, args[0])
	default:
		return p.c.Errf("%s: want nothing (for the name of the host), off, or a name of letters, digits and ._:-", line("log instance", args))
	}
	return nil
}

func (p *parser) page(args []string) error {
	if len(args) != 1 {
		return p.c.Errf("%s: want one address with a port, for example 127.0.0.1:9163", line("page", args))
	}
	host, port, err := net.SplitHostPort(args[0])
	if err == nil && host != "localhost" {
		_, err = netip.ParseAddr(host)
	}
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || strconv.FormatUint(n, 10) != port {
		return p.c.Errf("page %s: want an IP address or localhost, with a port, for example 127.0.0.1:9163", args[0])
	}
	p.settings.Page = setting(p, args[0])
	return nil
}
