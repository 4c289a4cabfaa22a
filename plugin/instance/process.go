package instance

import (
	"os"
	"runtime"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/askagain"
	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/delegation"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
	"github.com/seed-1b7246af/coredns-ede/plugin/exchange"
	"github.com/seed-1b7246af/coredns-ede/plugin/explain"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
	"github.com/seed-1b7246af/coredns-ede/plugin/overheard"
	"github.com/seed-1b7246af/coredns-ede/plugin/page"
	"github.com/seed-1b7246af/coredns-ede/plugin/record"
	"github.com/seed-1b7246af/coredns-ede/plugin/remarks"
)

// process is what the server blocks of one load share, and what runs for them.
type process struct {
	explain.Shared
	// entries is how many questions the table may hold.
	entries int
	// ear hears why plugins have no data.
	ear *overheard.Ear
	// compare are the resolvers that diagnoses ask for comparison.
	compare []*exchange.Upstream

	pageAddr Setting[string]
	// pageIsHanded is true where the load before has the page on this address.
	pageIsHanded bool
	page         *page.Server
}

func newProcess(s Settings) (*process, error) {
	table := incident.New(s.entries(), time.Now)
	p := &process{entries: s.entries(), pageAddr: s.Page, ear: overheard.New(time.Now)}
	p.Shared = explain.Shared{
		Table: table, Log: record.NewLog(s.logOptions(), table, time.Now),
		Classifier: cause.NewClassifier(), Client: s.Client.Value,
	}
	if s.Page.Place != "" || s.Why {
		p.History = incident.NewHistory(time.Now)
	}
	table.Keep(p.History)
	if s.KeepsAnswers {
		p.Remarks, p.Filtered = remarks.New(s.entries(), time.Now), remarks.NewTally()
	}
	if s.AsksAgain {
		p.Asker = askagain.New(remarks.New(s.entries(), time.Now), s.askAgainRate(), explain.HeardAgain(&p.Shared))
	}
	if s.Diagnoses {
		return p, p.addDiagnoser(s.diagnoseLine())
	}
	return p, nil
}

// addDiagnoser adds diagnosis as the Corefile configures it.
func (p *process) addDiagnoser(line DiagnoseLine) error {
	engine := &diagnose.Engine{Anchors: dnssec.RootAnchors(), Private: diagnose.PrivateZones(), Now: time.Now}
	if line.Anchors != "" {
		anchors, err := ReadAnchors(line.Anchors)
		if err != nil {
			return err
		}
		engine.Anchors = anchors
	}
	for _, to := range line.compared() {
		u, err := exchange.Open(to, exchange.Timeout)
		if err != nil {
			p.closeCompared()
			return err
		}
		p.compare = append(p.compare, u)
		engine.Compare = append(engine.Compare, diagnose.Resolver{Name: u.Addr, Exchange: u.Exchange})
	}
	if line.Delegation {
		dialer := &delegation.Dialer{}
		engine.Delegation = &delegation.Prober{Direct: dialer.Direct, TCP: dialer.TCP, Allowed: line.networks()}
	}
	zoneOf := func(name string) string { return incident.ZoneOf(name, ".") }
	runner := diagnose.NewRunner(engine, line.Rate, line.Concurrent, explain.Diagnosed(p.Log, zoneOf))
	p.Diagnoser = explain.NewDiagnoser(runner, line.Rate, line.Wait)
	return nil
}

// ReadAnchors reads DS or DNSKEY records in zone-file form from file. The error is that of
// the file system, or names the line that is wrong.
func ReadAnchors(file string) ([]dns.RR, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return dnssec.ParseAnchors(f, file)
}

// adopt takes over what old remembers of the blocks that did not change, so that a reload
// in an outage does not begin all over. What diagnoses found, and what upstreams said of
// unrelated zones, is not taken over: both are learned again within a minute.
func (p *process) adopt(old *process, blocks map[uint64]bool) {
	if p.entries == old.entries {
		// Both instances serve until old has stopped. They count in one table, so that
		// nothing is lost between them; what is remembered of a block that changed is
		// never asked for again.
		p.Table = old.Table
		p.Asker.Continue(old.Asker)
		if p.Remarks != nil && old.Remarks != nil {
			p.Remarks, p.Filtered = old.Remarks, old.Filtered
		}
	} else {
		p.Table.Adopt(old.Table, blocks)
	}
	p.Log.Continue(old.Log, p.Table)
	p.pageIsHanded = p.pageAddr.Value == old.pageAddr.Value
	if p.History != nil {
		if old.History != nil {
			p.History = old.History
		}
		p.Table.Keep(p.History)
	}
}

// start begins to record and to serve the page. After an error nothing runs.
func (p *process) start(change incident.EventKind) error {
	if err := p.openPage(); err != nil {
		return err
	}
	p.History.Changed(change)
	version, commit := Version()
	record.SetBuild(version, commit, runtime.Version())
	if change == incident.Started {
		log.Infof("version %s, commit %s, %s", version, commit, runtime.Version())
	}
	p.ear.Listen()
	p.Log.Start()
	return nil
}

func (p *process) stop() {
	p.ear.Stop()
	p.page.Stop()
	p.Asker.Stop()
	if p.Diagnoser != nil {
		p.Diagnoser.Stop()
	}
	p.closeCompared()
	p.Log.Stop()
}

func (p *process) closeCompared() {
	for _, u := range p.compare {
		u.Close()
	}
}
