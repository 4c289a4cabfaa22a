package record

import (
	"sync"

	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/seed-1b7246af/coredns-ede/plugin/guard"
)

func (l *Log) writeFailure(f *Failure) {
	guarded(func() { l.pen.writeFailure(f, l.options.Client) })
}

func (l *Log) writeEvent(e event) { guarded(func() { l.pen.write(e.word, e.fields) }) }

// guarded loses what write would write if that panics, and nothing else.
func guarded(write func()) {
	defer guard.Catch(guard.Logging, nil)
	write()
}

// pen writes lines, one at a time, and has the memory for one.
type pen struct {
	mu       sync.Mutex
	instance string
	inText   bool
	fields   fields
	line     []byte
}

func (p *pen) writeFailure(f *Failure, client ClientForm) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fields == nil {
		p.fields = make(fields, 0, maxFields)
	}
	p.fields = fieldsOf(p.fields[:0], f, client)
	if inJSON() {
		// A store can group by the zone that summaries have; from a name it cannot tell
		// the registered domain.
		p.fields.text("zone", f.Group)
	}
	p.put("", p.fields)
}

func (p *pen) write(word string, fs fields) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.put(word, fs)
}

// put writes one line at INFO level. In text mode CoreDNS's own prefix comes
// first; in JSON mode the message is the word.
func (p *pen) put(word string, fs fields) {
	if inJSON() {
		message := word
		if message == "" {
			message = "failure"
		}
		fs.text("instance", p.instance)
		writeJSON(message, fs)
		return
	}
	if p.inText {
		fs.text("instance", p.instance)
	}
	p.line = appendText(append(p.line[:0], word...), fs)
	logger.Info(string(p.line))
}

var logger = clog.NewWithPlugin("ede")
