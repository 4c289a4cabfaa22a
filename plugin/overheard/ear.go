// Package overheard listens to the log to learn why a plugin has no data. If a transfer, a
// list of the Kubernetes API or a zone file fails, CoreDNS's plugins log the reason, and
// return only an rcode to the query.
package overheard

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

const (
	// maxComplaints is how many complaints are kept; the one that was repeated the
	// longest ago makes room for a new one.
	maxComplaints = 256
	// maxText bounds the text of a complaint in octets.
	maxText = 300
	// maxZones is how many zones one line may be about.
	maxZones = 16
)

// speakers are the plugins that are listened to: those that have data of their own, and
// log why they cannot get them.
var speakers = map[string]bool{
	"auto": true, "azure": true, "clouddns": true, "dynupdate": true, "file": true,
	"kubernetes": true, "nomad": true, "route53": true, "secondary": true,
}

// Transfers stands for the transfers into this server, which file does for secondary and
// logs under its own name.
const Transfers = "transfer into"

// topic is what a complaint is about: a zone or the address of another server, or the
// plugin as such if about is empty.
type topic struct{ plugin, about string }

// complaint is the last error of a topic.
type complaint struct {
	kind        evidence.Reason
	text        string
	first, last time.Time
}

// Ear is a listener on CoreDNS's log. It is safe for concurrent use, and a nil Ear hears
// nothing.
type Ear struct {
	deaf
	name string
	now  func() time.Time

	mu         sync.Mutex
	complaints map[topic]complaint
}

// ears counts those made: listeners are told apart by their names, and at a reload two
// of them live side by side.
var ears atomic.Uint64

// New returns an Ear that does not listen yet; now is its clock.
func New(now func() time.Time) *Ear {
	name := "ede/" + strconv.FormatUint(ears.Add(1), 10)
	return &Ear{name: name, now: now, complaints: make(map[topic]complaint)}
}

// Listen begins to listen.
func (e *Ear) Listen() { _ = clog.RegisterListener(e) }

// Stop ends it.
func (e *Ear) Stop() { _ = clog.DeregisterListener(e) }

// Why goes through topics in order, and returns the last error that plugin logged about the
// first topic that has one. A topic is a zone in lower case with its closing dot, the
// address of a primary, or "" for errors without a topic. The zero value means none.
func (e *Ear) Why(plugin string, topics ...string) evidence.Overheard {
	if e == nil {
		return evidence.Overheard{}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, about := range topics {
		if c, ok := e.complaints[topic{plugin, about}]; ok {
			return evidence.Overheard{Reason: c.kind, Text: c.text, Last: c.last, Lasted: e.now().Sub(c.first).Truncate(time.Second)}
		}
	}
	return evidence.Overheard{}
}

// heard takes down a line of the plugin. A query may wait for the log, so the line is
// worded outside of the lock, and what does not concern anybody is not worded.
func (e *Ear) heard(plugin, text string, values []any) {
	plugin, ok := speaker(plugin)
	if !ok {
		return
	}
	text = option.Sanitize(evidence.WithoutLocalPorts(worded(plugin, text)), maxText)
	if text == "" {
		return
	}
	kind, now := reasonOf(text, values), e.now()
	plugin, abouts := subjects(plugin, text, values)
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, about := range abouts {
		e.keep(topic{plugin, about}, complaint{kind: kind, text: text, first: now, last: now})
	}
}

func (e *Ear) keep(t topic, c complaint) {
	if before, ok := e.complaints[t]; ok {
		c.first = before.first
	} else if len(e.complaints) >= maxComplaints {
		e.forgetOldest()
	}
	e.complaints[t] = c
}

func (e *Ear) forgetOldest() {
	var oldest topic
	var at time.Time
	for t, c := range e.complaints {
		if at.IsZero() || c.last.Before(at) {
			oldest, at = t, c.last
		}
	}
	delete(e.complaints, oldest)
}

// succeeded forgets what was said of a zone that has been transferred now, and of the
// primary that it came from.
func (e *Ear) succeeded(values []any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, v := range values {
		if about, ok := v.(string); ok {
			delete(e.complaints, topic{Transfers, strings.ToLower(about)})
			delete(e.complaints, topic{"secondary", strings.ToLower(about)})
		}
	}
}

// speaker is the plugin's name: a logger begins its lines with "plugin/file: ".
func speaker(prefix string) (name string, ok bool) {
	name = strings.TrimSuffix(strings.TrimPrefix(prefix, "plugin/"), ": ")
	return name, speakers[name]
}

// Name implements clog.Listener.
func (e *Ear) Name() string { return e.name }

// Infof implements clog.Listener.
func (e *Ear) Infof(plugin, format string, v ...any) {
	// plugin/file/secondary.go TransferInWithRecords
	if name, _ := speaker(plugin); name == "file" && strings.HasPrefix(format, "Transferred: ") {
		e.succeeded(v)
	}
}

// Warning implements clog.Listener.
func (e *Ear) Warning(plugin string, v ...any) { e.Error(plugin, v...) }

// Warningf implements clog.Listener.
func (e *Ear) Warningf(plugin, format string, v ...any) { e.Errorf(plugin, format, v...) }

// Error implements clog.Listener.
func (e *Ear) Error(plugin string, v ...any) {
	if _, ok := speaker(plugin); ok {
		e.heard(plugin, fmt.Sprint(v...), v)
	}
}

// Errorf implements clog.Listener.
func (e *Ear) Errorf(plugin, format string, v ...any) {
	if _, ok := speaker(plugin); ok {
		e.heard(plugin, fmt.Sprintf(format, v...), v)
	}
}

// deaf is a listener that hears nothing: what an Ear does not listen to goes there.
type deaf struct{}

func (deaf) Name() string                  { return "" }
func (deaf) Debug(string, ...any)          {}
func (deaf) Debugf(string, string, ...any) {}
func (deaf) Info(string, ...any)           {}
func (deaf) Infof(string, string, ...any)  {}
func (deaf) Warning(string, ...any)        {}
func (deaf) Warningf(string, string, ...any) {
}
func (deaf) Error(string, ...any)          {}
func (deaf) Errorf(string, string, ...any) {}
func (deaf) Fatal(string, ...any)          {}
func (deaf) Fatalf(string, string, ...any) {}
