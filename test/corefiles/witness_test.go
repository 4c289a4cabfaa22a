package corefiles

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"
)

// A witness is the first plugin of each block. It writes down with which error
// a question came back, and to which block it went.
type witness struct {
	block int
	next  plugin.Handler
}

type testimony struct {
	block int
	err   string
}

var (
	heard   = make(map[uint16]testimony) // by the query's id
	asked   uint16                       // id of the client's query: others come from forward
	hearing sync.Mutex
	told    = sync.NewCond(&hearing)
)

func init() {
	dnsserver.Directives = slices.Insert(dnsserver.Directives, 0, "witness")
	plugin.Register("witness", func(c *caddy.Controller) error {
		block := c.ServerBlockIndex
		blocks.Lock()
		blocks.configs = append(blocks.configs, dnsserver.GetConfig(c))
		blocks.Unlock()
		dnsserver.GetConfig(c).AddPlugin(func(next plugin.Handler) plugin.Handler { return witness{block, next} })
		return nil
	})
}

func (witness) Name() string { return "witness" }

func (w witness) ServeDNS(ctx context.Context, rw dns.ResponseWriter, r *dns.Msg) (rcode int, err error) {
	id, tr := r.Id, trip{w.block, r.Question[0]}
	if !begin(tr) {
		return dns.RcodeServerFailure, nil
	}
	defer end(tr)
	t := testimony{block: w.block, err: "panic"}
	defer func() {
		hearing.Lock()
		if id == asked {
			heard[id] = t
		}
		hearing.Unlock()
		told.Broadcast()
	}()
	rcode, err = plugin.NextOrFailure("witness", w.next, ctx, rw, r)
	if t.err = ""; err != nil {
		t.err = err.Error()
	}
	return rcode, err
}

// testify waits for what the witness says of a query that has its answer, which
// it may get before the chain has returned. Those that no block is for have
// none.
func testify(m *dns.Msg) (testimony, bool) {
	if m.Rcode == dns.RcodeRefused {
		return testimony{}, false
	}
	hearing.Lock()
	defer hearing.Unlock()
	for {
		if t, ok := heard[m.Id]; ok {
			return t, true
		}
		told.Wait()
	}
}

func (t testimony) noNext() bool { return strings.Contains(t.err, "no next plugin") }
