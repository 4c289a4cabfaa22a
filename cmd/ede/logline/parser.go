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
	jsonHints = [][]byte{marker, []byte(`"ede`)}
	levelTags = [][]byte{[]byte("[INFO] "), []byte("[WARNING] "), []byte("[ERROR] "), []byte("[DEBUG] "), []byte("[FATAL] ")}
)

// Parse reads line, which has no line end, into r. It reports whether the line
// is ede's, which most lines of a log are not; if it is and cannot be read the
// error is a Malformed and r is of no use.
func (p *Parser) Parse(line []byte, r *Record) (bool, error) {
	header, line := p.syslogHeader(line)
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
	brace := bytes.IndexByte(line, '{')
	if at := bytes.Index(line, marker); at >= 0 && (brace < 0 || at < brace) {
		return p.plain(line, at, r)
	}
	if brace < 0 || brace > maxPrefix || !hinted(line) {
		return false, nil
	}
	// A level or a quote before the brace is another plugin's line, which may
	// hold a name that a client has chosen to look like one of ours.
	prefix := line[:brace]
	if bytes.IndexByte(prefix, '"') >= 0 || levelAt(prefix) >= 0 {
		return false, nil
	}
	*r = Record{Time: p.stamp(prefix)}
	found, err := p.object(line[brace:], r, 0)
	if found {
		p.attribute(r, sourceOf(prefix))
	}
	return found, err
}

// hinted spares most foreign lines the walk through their JSON.
func hinted(line []byte) bool {
	for _, hint := range jsonHints {
		if bytes.Contains(line, hint) {
			return true
		}
	}
	return false
}

// plain reads a text line whose marker is at the given place.
func (p *Parser) plain(line []byte, at int, r *Record) (bool, error) {
	tag := levelAt(line)
	if tag < 0 || tag > at || !isLevel(line[tag:at]) {
		return false, nil
	}
	*r = Record{Time: p.stamp(line[:tag])}
	err := p.message(line[at+len(marker):], r)
	p.attribute(r, sourceOf(line[:tag]))
	return true, err
}

// message reads what the plugin itself wrote in text mode.
func (p *Parser) message(b []byte, r *Record) error {
	b = bytes.TrimRight(b, "\r\n")
	word, _, _ := bytes.Cut(b, space)
	if kindOf(word) == 0 && !bytes.HasPrefix(b, []byte("rcode=")) {
		r.Kind = Notice
		r.values[Text] = p.printable(b[:min(len(b), maxText)])
		return nil
	}
	return p.text(r, b)
}

// levelAt finds the first level tag of CoreDNS's log package.
func levelAt(line []byte) int {
	line = line[:min(len(line), maxPrefix)]
	for from := 0; ; {
		i := bytes.IndexByte(line[from:], '[')
		if i < 0 {
			return -1
		}
		from += i
		for _, tag := range levelTags {
			if bytes.HasPrefix(line[from:], tag) {
				return from
			}
		}
		from++
	}
}

func isLevel(b []byte) bool {
	for _, tag := range levelTags {
		if bytes.Equal(b, tag) {
			return true
		}
	}
	return false
}
