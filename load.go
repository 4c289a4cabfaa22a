package ede

import (
	"hash/fnv"
	"net"
	"os"
	"strings"
	"sync"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
	"github.com/seed-1b7246af/coredns-ede/plugin/observe"
	"github.com/seed-1b7246af/coredns-ede/plugin/preflight"
)

var log = clog.NewWithPlugin("ede")

// load is one reading of the Corefile: the blocks that use ede and what they
// share. At a reload two of them live side by side.
type load struct {
	ctx      caddy.Context
	settings settings
	blocks   []loaded
	process  *process

	startOnce, stopOnce sync.Once
}

// loaded is one server block of a load.
type loaded struct {
	ede *Ede
	// own is ede's place in the block's list of plugins, index the block's
	// place in the Corefile.
	own, index int
}

// loader knows the load that is being read, the one that has started, and the
// one that serves. caddy hands nothing from one instance to the next, so what
// a reload carries over has to be found here.
type loader struct {
	mu sync.Mutex
	// reading is forgotten with the next load, so that a Corefile that fails to
	// load leaves nothing behind but this.
	reading *load
	// unconfirmed has started, and not all of its listeners are up yet; if it
	// never gets there nobody stops it but the next load.
	unconfirmed *load
	serving     *load
}

var loads loader

// of returns the load that ctx belongs to.
func (l *loader) of(ctx caddy.Context) *load {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reading == nil || l.reading.ctx != ctx {
		l.reading = &load{ctx: ctx}
	}
	return l.reading
}

// parsed installs the taps once all directives of all blocks have run.
func (l *loader) parsed(ctx caddy.Context) error {
	l.mu.Lock()
	if l.reading == nil || l.reading.ctx != ctx {
		l.mu.Unlock()
		return nil
	}
	current := l.reading
	l.reading = nil
	l.mu.Unlock()

	corefile := corefileBlocks()
	var err error
	if current.process, err = newProcess(current.settings); err != nil {
		return plugin.Error("ede", err)
	}
	circles := warn(corefile)
	for _, b := range current.blocks {
		b.ede.process = current.process
		b.ede.ladder.Circle = circles[b.index]
		b.ede.ladder.Install(b.own)
		b.ede.block.id = identity(corefile, b)
	}
	return nil
}

func (ld *load) add(e *Ede, own, index int) { ld.blocks = append(ld.blocks, loaded{e, own, index}) }

// start begins to record. Every block calls it; the first call counts.
func (ld *load) start() (err error) {
	ld.startOnce.Do(func() {
		loads.mu.Lock()
		defer loads.mu.Unlock()
		if failed := loads.unconfirmed; failed != nil && failed != ld {
			failed.halt()
		}
		change := incident.Started
		if serving := loads.serving; serving != nil {
			change = incident.Reloaded
			ld.process.adopt(serving.process, ld.ids())
		}
		if err = ld.process.start(change); err != nil {
			err = plugin.Error("ede", err)
			return
		}
		loads.unconfirmed = ld
	})
	return err
}

// stop ends the recording of a load that is replaced or shut down.
func (ld *load) stop() error {
	loads.mu.Lock()
	if loads.serving == ld {
		loads.serving = nil
	}
	if loads.unconfirmed == ld {
		loads.unconfirmed = nil
	}
	loads.mu.Unlock()
	ld.halt()
	return nil
}

func (ld *load) halt() { ld.stopOnce.Do(ld.process.stop) }

func (ld *load) ids() map[uint64]bool {
	ids := make(map[uint64]bool, len(ld.blocks))
	for _, b := range ld.blocks {
		ids[b.ede.block.id] = true
	}
	return ids
}

// started hears that all servers of an instance are up.
func started(event caddy.EventName, info any) error {
	instance, ok := info.(*caddy.Instance)
	if event != caddy.InstanceStartupEvent || !ok {
		return nil
	}
	observe.SetListeners(instance)
	loads.mu.Lock()
	defer loads.mu.Unlock()
	if loads.unconfirmed != nil {
		loads.serving, loads.unconfirmed = loads.unconfirmed, nil
	}
	return nil
}

// corefileBlocks reads the Corefile that is being loaded once more, as text.
// Without an instance, as under a test's controller, there is none.
func corefileBlocks() []preflight.Block {
	instances := caddy.Instances()
	if len(instances) == 0 {
		return nil
	}
	input := instances[len(instances)-1].Caddyfile()
	if input == nil {
		return nil
	}
	blocks, err := preflight.Parse(input.Path(), strings.NewReader(string(input.Body())), dnsserver.Directives)
	if err != nil {
		return nil
	}
	return blocks
}

// identity is the same for a block that a reload left unchanged, and differs
// for any other: what is remembered of a block's questions is true only as long
// as its plugins are the same.
func identity(corefile []preflight.Block, b loaded) uint64 {
	h := fnv.New64a()
	write := func(words ...string) {
		for _, w := range words {
			_, _ = h.Write([]byte(w))
			_, _ = h.Write([]byte{0})
		}
	}
	write(b.ede.block.keys...)
	if b.index < len(corefile) {
		for _, d := range corefile[b.index].Directives {
			write(d.Name)
			for _, line := range d.Lines {
				write(line...)
				write("\n")
			}
		}
	}
	return h.Sum64()
}

// warn logs the mistakes that the Corefile gives away, once per load. It
// returns the blocks, by place, from which forward goes in a circle.
func warn(corefile []preflight.Block) map[int]bool {
	host := preflight.Host{Port: dnsserver.Port, Addrs: net.InterfaceAddrs, ReadFile: os.ReadFile}
	circles := make(map[int]bool)
	for _, w := range host.Check(corefile, dnsserver.Directives) {
		if !w.Ignored {
			log.Warning(w.String())
		}
		if w.Code != preflight.ForwardToSelf {
			continue
		}
		for i, b := range corefile {
			for _, d := range b.Directives {
				if d.Name == "forward" && d.File == w.File && d.Line == w.Line {
					circles[i] = true
				}
			}
		}
	}
	return circles
}
