package ede

import (
	"runtime"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
	"github.com/seed-1b7246af/coredns-ede/plugin/page"
	"github.com/seed-1b7246af/coredns-ede/plugin/record"
	"github.com/seed-1b7246af/coredns-ede/plugin/stack"
)

// process is what all server blocks of one load share.
type process struct {
	// entries is how many questions table may hold.
	entries int
	table   *incident.Table
	log     *record.Log
	// classifier gives failures that are alike one verdict.
	classifier *cause.Classifier
	// diagnoses is nil if no block has a diagnose block.
	diagnoses *diagnoses

	// history is nil unless the page or why shows it.
	history    *incident.History
	clientForm record.ClientForm
	pageAddr   setting[string]
	// pageIsHanded is true where the load before has the page on this address.
	pageIsHanded bool
	page         *page.Server

	ballast *stack.Ballast
}

func newProcess(s settings) (*process, error) {
	table := incident.New(s.entries(), time.Now)
	p := &process{
		entries: s.entries(), table: table, classifier: cause.NewClassifier(), log: record.NewLog(s.logOptions(), table, time.Now),
		history: newHistory(s), clientForm: s.client.value, pageAddr: s.page, ballast: new(stack.Ballast),
	}
	table.Keep(p.history)
	if !s.diagnoses {
		return p, nil
	}
	var err error
	p.diagnoses, err = newDiagnoses(s.diagnoseLine(), p)
	return p, err
}

// adopt takes over what old remembers of the blocks that did not change, so
// that a reload in an outage does not begin all over.
func (p *process) adopt(old *process, blocks map[uint64]bool) {
	if p.entries == old.entries {
		// Both instances serve until old has stopped. They count in one table, so
		// that nothing is lost between them; what is remembered of a block that
		// changed is never asked for again.
		p.table = old.table
	} else {
		p.table.Adopt(old.table, blocks)
	}
	p.log.Continue(old.log, p.table)
	p.ballast = old.ballast
	p.pageIsHanded = p.pageAddr.value == old.pageAddr.value
	p.adoptHistory(old)
}

// start begins to record and to serve the page. After an error nothing runs.
func (p *process) start(change incident.EventKind) error {
	if err := p.openPage(); err != nil {
		return err
	}
	p.history.Changed(change)
	version, commit := Version()
	record.SetBuild(version, commit, runtime.Version())
	if change == incident.Started {
		log.Infof("version %s, commit %s, %s", version, commit, runtime.Version())
	}
	p.log.Start()
	p.ballast.Start()
	return nil
}

func (p *process) stop() {
	p.page.Stop()
	p.diagnoses.stop()
	p.log.Stop()
	p.ballast.Stop()
}

// quiet reports whether a success can end nothing: no failure is remembered.
func (p *process) quiet() bool {
	return p.table.Quiet() && p.history.Quiet() && (p.diagnoses == nil || p.diagnoses.runner.Quiet())
}
