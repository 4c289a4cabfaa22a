package logline

import (
	"bytes"
	"time"
)

// A Parser reads lines into records. It is not safe for concurrent use; its
// zero value is ready.
type Parser struct {
	// Location is that of times without zone; nil is time.Local.
	Location *time.Location
	// Reference is no earlier than any line, such as the file's time of last
	// change; it gives syslog's times their year. Zero is the current time.
	Reference time.Time
	// Now is the clock, nil for time.Now: a line from the future has no time.
	Now func() time.Time

	scratch []byte
	clock   time.Time
	// latest is the time from which on a line is from the future.
	latest time.Time
	// second is that of the time that was read last, and began when it began.
	second         [wholeSecond]byte
	began          time.Time
	inText, inJSON habit
}

// Reset invalidates all records read so far and makes their memory reusable.
func (p *Parser) Reset() {
	p.scratch = p.scratch[:0]
	p.clock = time.Time{}
}

// now is read once between two resets: a clock read per line would show.
func (p *Parser) now() time.Time {
	if p.clock.IsZero() {
		if p.Now == nil {
			p.Now = time.Now
		}
		p.clock = p.Now()
		p.latest = p.clock.Add(24 * time.Hour)
	}
	return p.clock
}

func (p *Parser) reference() time.Time {
	if p.Reference.IsZero() {
		return p.now()
	}
	return p.Reference
}

func (p *Parser) location() *time.Location {
	if p.Location == nil {
		return time.Local
	}
	return p.Location
}

// maxPrefix bounds what a sink may put before a message.
const maxPrefix = 512

var (
	marker    = []byte("plugin/ede: ")
	jsonHint  = []byte(`"ede`)
	levelTags = [][]byte{[]byte("[INFO] "), []byte("[WARNING] "), []byte("[ERROR] "), []byte("[DEBUG] "), []byte("[FATAL] ")}
)

// Parse reads line, which has no line end, into r. It reports whether the line
// is ede's, which most lines of a log are not; if it is and cannot be read the
// error is a Malformed and r is of no use.
func (p *Parser) Parse(line []byte, r *Record) (bool, error) {
	var header header
	if bytes.IndexByte(line[:min(len(line), maxDigits+1)], '<') >= 0 {
		header, line = p.syslogHeader(line)
	}
	found, err := p.parse(line, r)
	if found {
		if r.Time.IsZero() {
			r.Time = header.time
		}
		p.attribute(r, header.source)
	}
	return found, err
}

func (p *Parser) parse(line []byte, r *Record) (bool, error) {
	tag, end := levelAt(line)
	if tag >= 0 && bytes.IndexByte(line[:tag], '{') < 0 {
		return p.plain(line, tag, end, r)
	}
	brace := bytes.IndexByte(line[:min(len(line), maxPrefix+1)], '{')
	if brace < 0 || !hinted(line[brace:]) {
		return false, nil
	}
	// A level or a quote before the brace is another plugin's line, which may
	// hold a name that a client has chosen to look like one of ours.
	prefix := line[:brace]
	if bytes.IndexByte(prefix, '"') >= 0 || bytes.Contains(prefix, marker) {
		return false, nil
	}
	source, rest := cutSource(prefix)
	r.begin(p.stamp(rest))
	found, err := p.object(line[brace:], r, 0)
	if found {
		p.attributeTo(r, source, rest)
	}
	return found, err
}

// attributeTo names the instance by what the sink has put before a line.
func (p *Parser) attributeTo(r *Record, source, rest []byte) {
	if source == nil {
		source = hostOf(rest)
	}
	p.attribute(r, source)
}

// hinted spares most objects that are not ede's the walk through them.
func hinted(line []byte) bool {
	return bytes.Contains(line, jsonHint) || bytes.Contains(line, marker)
}

// plain reads a text line whose first level begins and ends there. Ours is followed by the
// first marker.
func (p *Parser) plain(line []byte, tag, end int, r *Record) (bool, error) {
	if !bytes.HasPrefix(line[end:], marker) || bytes.Contains(line[:tag], marker) {
		return false, nil
	}
	source, rest := cutSource(line[:tag])
	r.begin(p.stamp(rest))
	err := p.message(line[end+len(marker):], r)
	p.attributeTo(r, source, rest)
	return true, err
}

// message reads what the plugin itself wrote in text mode.
func (p *Parser) message(b []byte, r *Record) error {
	b = cutLineEnd(b)
	if bytes.HasPrefix(b, []byte("rcode=")) {
		r.Kind = Query
		return p.text(r, b)
	}
	word, rest, more := bytes.Cut(b, space)
	if r.Kind = kindOf(word); r.Kind == 0 {
		r.Kind = Notice
		r.put(Text, p.printable(b[:min(len(b), maxText)]))
		return nil
	}
	if !more {
		return BadSyntax
	}
	return p.text(r, rest)
}

// cutLineEnd cuts off the end of a line, and blanks that a sink has put before it.
func cutLineEnd(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\r' || b[len(b)-1] == '\n' || b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// levelAt finds where the first level tag of CoreDNS's log package begins and ends, -1 if there
// is none.
func levelAt(line []byte) (tag, end int) {
	line = line[:min(len(line), maxPrefix)]
	for from := 0; ; {
		i := bytes.IndexByte(line[from:], '[')
		if i < 0 {
			return -1, -1
		}
		from += i
		for _, tag := range levelTags {
			if bytes.HasPrefix(line[from:], tag) {
				return from, from + len(tag)
			}
		}
		from++
	}
}
