package instance

import (
	"fmt"
	"net"
	"os"
	"sync"

	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
	"github.com/seed-1b7246af/coredns-ede/plugin/page"
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

// openPage begins to serve the page, if one is configured.
func (p *process) openPage() error {
	addr := p.pageAddr.Value
	if p.pageAddr.Place == "" {
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
			Snapshot: p.Table.Snapshot, Remarked: p.remarked(), Host: hostname(), Version: version, Names: []string{name},
		}))
	}
	if err != nil {
		return fmt.Errorf("%s - page: %w: want an address of this host, with a port that is free", p.pageAddr.Place, err)
	}
	p.page = server
	log.Infof("page at http://%s/", server.Addr())
	return nil
}

// remarked is what the page shows of answers that did not fail, nil if they are not kept.
func (p *process) remarked() func() []incident.Top {
	if p.Filtered == nil {
		return nil
	}
	return func() []incident.Top {
		var tops []incident.Top
		for _, c := range p.Filtered.Top() {
			tops = append(tops, incident.Top{Name: c.Name, Count: c.Count, Over: c.Over})
		}
		return tops
	}
}
