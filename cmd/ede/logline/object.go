package logline

import (
	"bytes"
	"time"
)

// maxWrapping is how many wrappings a line is looked for in: a store's answer
// around a collector's record around CoreDNS's.
const maxWrapping = 3

// An object is what is remembered of a JSON object while its members are read,
// as a shipper or a store may have sorted the keys: whose line it is may show
// last.
type object struct {
	ours, foreign   bool // it names ede as its plugin, or another
	leveled, isInfo bool
	ownTime         bool   // "time" was there, which CoreDNS writes itself
	msg             []byte // the message, under any of its names
	line            []byte // a string that may hold a whole line
	source          []byte // the instance by a collector's word
	nested          [maxWrapping][]byte
	nests           int
	bad             error
	key             Field // of the last member
}

// object reads a line that is a JSON object: CoreDNS's own log record as CoreDNS
// wrote it or as a store gives it back, or a wrapping around a line of either
// format: a string of it, as Docker's json-file driver ("log"), journalctl -o json
// ("MESSAGE") and logcli -o jsonl ("line") have it, or an object, as in the hits
// of Elasticsearch ("_source").
func (p *Parser) object(b []byte, r *Record, depth int) (bool, error) {
	o := object{key: begin}
	s := scanner{p: p, b: b}
	for {
		if same, t := p.inJSON.again(o.key, b[s.i:]); t != nil {
			val := b[s.i+t.at : s.i+t.end]
			s.i, o.key = s.i+len(t.raw), same
			p.sameMember(r, &o, val, t.sum)
			continue
		}
		start := s.i
		m, ok, err := s.next()
		if err != nil {
			return o.ours || bytes.Contains(b, marker), err
		}
		if !ok {
			break
		}
		o.key = p.inJSON.field(o.key, m.key)
		raw := b[start:s.i]
		if start == 0 {
			raw = nil // the first member begins with a brace, which no other one may
		}
		p.member(r, &o, single(p, m), raw)
	}
	if o.foreign {
		return false, nil
	}
	bare := !r.has(1<<RCode | 1<<Cause | 1<<Result | 1<<Sent)
	if !o.ours || bare && o.line != nil {
		if outside := *r; depth < maxWrapping {
			if found, err := p.unwrapped(r, &o, depth); found {
				return found, err
			}
			*r = outside
		}
	}
	switch {
	case !o.ours:
		return false, nil
	case o.leveled && !o.isInfo || bare && !r.isAnswer(o.msg):
		r.Kind = Notice
		r.put(Text, p.printable(o.msg[:min(len(o.msg), maxText)]))
		return true, nil
	case o.bad != nil:
		return true, o.bad
	}
	p.attribute(r, o.source)
	r.Kind = r.kindOfObject(o.msg)
	return true, r.finish()
}

// nest remembers an object inside that may be the record.
func (o *object) nest(m member) {
	if m.kind == '{' && o.nests < len(o.nested) && hinted(m.text) {
		o.nested[o.nests] = m.text
		o.nests++
	}
}

// holdsLine reports whether a message is a line of ede, and not the word that
// names its kind.
func holdsLine(msg []byte) bool { return bytes.Contains(msg, marker) || len(msg) > 0 && msg[0] == '{' }

// unwrapped reads the line or the object inside a wrapping, whose time and
// instance stand if the inside has none of its own.
func (p *Parser) unwrapped(r *Record, o *object, depth int) (bool, error) {
	outside := r.Time
	found, err := p.inside(cutLineEnd(o.line), r, outside, depth)
	for i := 0; !found && i < o.nests; i++ {
		found, err = p.inside(o.nested[i], r, outside, depth)
	}
	if found {
		if r.Time.IsZero() {
			r.Time = outside
		}
		p.attribute(r, o.source)
	}
	return found, err
}

// inside reads what a wrapping holds, in either format.
func (p *Parser) inside(b []byte, r *Record, outside time.Time, depth int) (bool, error) {
	r.begin(outside)
	if len(b) > 0 && b[0] == '{' {
		return p.object(b, r, depth+1)
	}
	if tag, end := levelAt(b); tag >= 0 {
		return p.plain(b, tag, end, r)
	}
	return false, nil
}

// attribute names the instance that a line comes from, if it does not itself.
func (p *Parser) attribute(r *Record, source []byte) {
	if r.Get(Instance) != nil || len(source) == 0 {
		return
	}
	if source = p.printable(source); len(source) <= maxInstance {
		r.put(Instance, source)
		r.Alike += sumOf(Instance, source)
	}
}

// kindOfObject goes by the message, and where a store has kept another by the
// keys that only one kind has.
func (r *Record) kindOfObject(msg []byte) Kind {
	word, _, _ := bytes.Cut(msg, space)
	if kind := kindOf(word); kind != 0 {
		return kind
	}
	if r.isAnswer(msg) {
		return Answer
	}
	switch {
	case string(word) == "failure" || r.has(1<<RCode):
		return Query
	case positive(r.Get(After)):
		return Recovered
	case positive(r.Get(Count)):
		return Summary
	}
	return Diagnosis
}

// isAnswer goes by the message too, or by the INFO-CODE and the name of what has neither
// an rcode nor a cause.
func (r *Record) isAnswer(msg []byte) bool {
	const failing, telling = 1<<RCode | 1<<Cause | 1<<Result | 1<<Sent, 1<<EDE | 1<<QName
	return string(msg) == "answer" || !r.has(failing) && r.seen&telling == telling
}

func positive(b []byte) bool { return bytes.ContainsAny(b, "123456789") }
