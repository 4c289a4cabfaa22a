package ede

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
	"github.com/seed-1b7246af/coredns-ede/plugin/page"
	"github.com/seed-1b7246af/coredns-ede/plugin/record"
)

// maxHostname is the longest label (RFC 1035 section 2.3.4), and what is kept of
// a machine's name.
const maxHostname = 63

// hostname is how this machine, or pod, names itself.
var hostname = sync.OnceValue(func() string {
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return option.Sanitize(name, maxHostname)
})

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
	p.settings.page = setting[string]{args[0], p.place()}
	return nil
}

// openPage begins to serve the page, if one is configured.
func (p *process) openPage() error {
	addr := p.pageAddr.value
	if p.pageAddr.place == "" {
		return nil
	}
	version, _ := Version()
	name, _, _ := net.SplitHostPort(addr)
	var err error
	if !p.pageIsHanded {
		err = page.Free(addr)
	}
	var server *page.Server
	if err == nil {
		server, err = page.Listen(addr, page.New(page.Options{
			Snapshot: p.table.Snapshot, Host: hostname(), Version: version, Names: []string{name},
		}))
	}
	if err != nil {
		return fmt.Errorf("%s - page: %w: accepted is an address of this host, with a port that nothing else listens on", p.pageAddr.place, err)
	}
	p.page = server
	log.Infof("page at http://%s/", server.Addr())
	return nil
}

// adoptHistory goes on with the history of old. Both instances record into it
// until old has stopped.
func (p *process) adoptHistory(old *process) {
	if p.history == nil {
		return
	}
	if old.history != nil {
		p.history = old.history
	}
	p.table.Keep(p.history)
}

// remember keeps a failure for the page and for why.
func (e *Ede) remember(f *record.Failure, ev *evidence.Evidence) {
	p := e.process
	if p.history == nil || isProbe(f.Question) {
		return
	}
	p.history.Failed(incident.Detail{
		Block: e.block.id, Verdict: f.Verdict, Rcode: f.Rcode, Question: f.Question, Asked: f.Asked, Group: f.Group,
		Client: p.clientForm.Address(f.Client), Server: f.Server, Protocol: f.Protocol,
		Duration: f.Duration, Error: ev.Failure.Text(), Upstreams: ev.Upstreams,
	})
}

// newHistory returns a history if there is anything that shows it.
func newHistory(s settings) *incident.History {
	if s.page.place == "" && !s.why {
		return nil
	}
	return incident.NewHistory(time.Now)
}
