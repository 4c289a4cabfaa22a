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

// A witness is the first plugin of each block. It writes down with which rcode and
// error a question came back, and to which block it went.
type witness struct {
	block int
	next  plugin.Handler
}

type testimony struct {
	block int
	rcode int // as the chain returned it: success if a plugin wrote the answer itself
	err   string
}

var (
	heard   = make(map[uint16]testimony) // by the query's id
	asked   uint16                       // id of the client's query: others come from forward
	came    bool                         // to a block
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
	hearing.Lock()
	came = came || id == asked
	hearing.Unlock()
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
	t.rcode = rcode
	if t.err = ""; err != nil {
		t.err = err.Error()
	}
	return rcode, err
}

// testify waits for what the witness says of a query that has its answer, which
// it may get before the chain has returned. Those that no block is for have
// none.
func testify(m *dns.Msg) (testimony, bool) {
	hearing.Lock()
	defer hearing.Unlock()
	if !came {
		return testimony{}, false
	}
	for {
		if t, ok := heard[m.Id]; ok {
			return t, true
		}
		told.Wait()
	}
}

// refused reports whether the chain returned REFUSED, as plugins with zone files do.
// acl writes its own, and so do upstreams and templates.
func (t testimony) refused() bool { return t.rcode == dns.RcodeRefused && t.err == "" }

func (t testimony) noNext() bool { return strings.Contains(t.err, "no next plugin") }
