package instance

import (
	"sync"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/seed-1b7246af/coredns-ede/plugin/explain"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
	"github.com/seed-1b7246af/coredns-ede/plugin/observe"
	"github.com/seed-1b7246af/coredns-ede/plugin/why"
)

var log = clog.NewWithPlugin("ede")

// Load is one reading of the Corefile: the blocks that use ede and what they share. At a
// reload two of them live side by side.
type Load struct {
	ctx      caddy.Context
	settings Settings
	members  []Member
	process  *process

	startOnce, stopOnce sync.Once
}

// Member is one server block of a load.
type Member struct {
	Explainer *explain.Explainer
	// Why is nil where nobody may ask.
	Why *why.Answerer
	// Own is ede's place in the block's list of plugins, Index the block's place in the
	// Corefile.
	Own, Index int
}

// loader knows the load that is being read, the one that has started, and the one that
// serves. caddy hands nothing from one instance to the next, so what a reload carries over
// has to be found here.
type loader struct {
	mu sync.Mutex
	// reading is forgotten with the next load, so that a Corefile that fails to load
	// leaves nothing behind but this.
	reading *Load
	// unconfirmed has started, and not all of its listeners are up yet; if it never gets
	// there nobody stops it but the next load.
	unconfirmed *Load
	serving     *Load
}

var loads loader

// Of returns the load that ctx belongs to.
func Of(ctx caddy.Context) *Load {
	loads.mu.Lock()
	defer loads.mu.Unlock()
	if loads.reading == nil || loads.reading.ctx != ctx {
		loads.reading = &Load{ctx: ctx}
	}
	return loads.reading
}

// Add adds a server block to the load, and its settings for the whole process. The error
// names two blocks whose settings differ.
func (ld *Load) Add(m Member, s Settings) error {
	if err := ld.settings.Merge(s); err != nil {
		return err
	}
	ld.members = append(ld.members, m)
	return nil
}

// Parsed puts the load of ctx together once all directives of all its blocks have run. It
// installs the taps.
func Parsed(ctx caddy.Context) error {
	loads.mu.Lock()
	if loads.reading == nil || loads.reading.ctx != ctx {
		loads.mu.Unlock()
		return nil
	}
	current := loads.reading
	loads.reading = nil
	loads.mu.Unlock()

	var err error
	if current.process, err = newProcess(current.settings); err != nil {
		return plugin.Error("ede", err)
	}
	corefile := corefileBlocks()
	circles := warn(corefile)
	for _, m := range current.members {
		x := m.Explainer
		x.Shared = &current.process.Shared
		x.Block.ID = identity(corefile, m)
		x.Ladder.Circle = circles[m.Index]
		x.Ladder.Ear = current.process.ear
		if m.Index < len(corefile) {
			x.Ladder.Template = templateOf(corefile[m.Index])
		}
		x.Ladder.Install(m.Own)
	}
	return nil
}

// Start begins to record. Every block calls it; the first call counts.
func (ld *Load) Start() (err error) {
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
		for _, m := range ld.members {
			if m.Why != nil {
				m.Why.Block, m.Why.History, m.Why.Host = m.Explainer.Block.ID, ld.process.History, hostname()
			}
		}
		if err = ld.process.start(change); err != nil {
			err = plugin.Error("ede", err)
			return
		}
		loads.unconfirmed = ld
	})
	return err
}

// Stop ends the recording of a load that is replaced or shut down.
func (ld *Load) Stop() error {
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

// halt stops a load whose blocks may not all have been read: a server that is told to stop
// while it reloads stops what it has.
func (ld *Load) halt() {
	ld.stopOnce.Do(func() {
		if ld.process != nil {
			ld.process.stop()
		}
	})
}

func (ld *Load) ids() map[uint64]bool {
	ids := make(map[uint64]bool, len(ld.members))
	for _, m := range ld.members {
		ids[m.Explainer.Block.ID] = true
	}
	return ids
}

// Started is called when all servers of instance are up.
func Started(instance *caddy.Instance) {
	observe.SetListeners(instance)
	loads.mu.Lock()
	defer loads.mu.Unlock()
	if loads.unconfirmed != nil {
		loads.serving, loads.unconfirmed = loads.unconfirmed, nil
	}
}
