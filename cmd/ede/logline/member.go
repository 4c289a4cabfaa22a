package logline

import "bytes"

// member takes one member, by its name in CoreDNS's log, or the one that a
// store or a collector gives it. Raw is how it stood in the line.
func (p *Parser) member(r *Record, o *object, m member, raw []byte) {
	isText := m.kind == '"'
	switch o.key {
	case jsonTime:
		if t := p.plausible(p.anyTime(m.text)); !t.IsZero() {
			r.Time, o.ownTime = t, true
		}
		return
	case jsonPlugin, jsonLevel, jsonMsg:
		if o.said(m.text, isText); isText {
			p.inJSON.keep(o.key, raw, m.text)
		}
		return
	case unread:
		if o.wrapping(p, r, m) {
			return
		}
	}
	o.nest(m)
	before := r.seen
	err := p.setMember(r, o.key, m)
	if o.bad == nil {
		o.bad = err
	}
	if err == nil && r.seen != before && !endsInDigit(raw) {
		p.inJSON.keep(o.key, raw, r.Get(o.key))
	}
}

// endsInDigit holds for a number, which may have more digits in another line.
func endsInDigit(b []byte) bool {
	return len(b) > 0 && '0' <= b[len(b)-1] && b[len(b)-1] <= '9'
}

// sameMember takes a member that the habit knows.
func (p *Parser) sameMember(r *Record, o *object, val []byte, sum uint64) {
	if o.key >= numFields {
		o.said(val, true)
	} else if err := r.take(o.key, val, sum); o.bad == nil {
		o.bad = err
	}
}

// said takes what CoreDNS says of any line.
func (o *object) said(text []byte, isText bool) {
	switch o.key {
	case jsonPlugin:
		o.ours = isText && string(text) == "ede"
		o.foreign = !o.ours
	case jsonLevel:
		o.leveled, o.isInfo = true, isText && bytes.EqualFold(text, []byte("info"))
	case jsonMsg:
		if isText {
			o.msg = text
		}
	}
}

// wrapping takes a member that only a store or a collector writes, and reports whether it is one.
func (o *object) wrapping(p *Parser, r *Record, m member) bool {
	isText := m.kind == '"'
	switch string(m.key) {
	case "_time", "@timestamp", "timestamp", "ts", "__REALTIME_TIMESTAMP":
		if t := p.plausible(p.anyTime(m.text)); !t.IsZero() && !o.ownTime {
			r.Time = t
		}
	case "_msg", "message":
		// The message by another name, or a line that nobody has parsed.
		if isText && holdsLine(m.text) {
			o.line = m.text
		}
		if isText && o.msg == nil {
			o.msg = m.text
		}
	case "log", "MESSAGE", "line", "body", "textPayload":
		if isText {
			o.line = m.text
		}
		o.nest(m)
	case "kubernetes.pod_name", "hostname", "_HOSTNAME":
		if isText && o.source == nil {
			o.source = m.text
		}
	default:
		return false
	}
	return true
}

// single takes a value out of the array that Elasticsearch puts each into where
// it was asked for "fields".
func single(p *Parser, m member) member {
	if m.kind != '[' {
		return m
	}
	s := scanner{p: p, b: m.text, i: 1}
	kind, text, err := s.value(1)
	if err != nil || kind == '[' || kind == '{' || !s.take(']') {
		return m
	}
	m.kind, m.text = kind, text
	return m
}

func (p *Parser) setMember(r *Record, f Field, m member) error {
	if f == EDE && (m.kind == '"' || m.kind == '[') {
		m.text = p.codes(m.text)
	}
	var all chars
	switch m.kind {
	case 'n', '{':
		return nil
	case '[':
		m.text = bytes.Trim(m.text, "[] ")
		all = charsOf(m.text)
	default:
		m.text, all = p.shown(m.text)
	}
	if len(m.text) == 0 {
		return nil
	}
	return p.set(r, f, m.text, all)
}

// codes takes the brackets and quotes off a list of INFO-CODEs, which a store may
// give back as a string, "[7,22]", or as an array of strings.
func (p *Parser) codes(list []byte) []byte {
	if !bytes.ContainsAny(list, `["`) {
		return list
	}
	start := len(p.scratch)
	for _, c := range list {
		if c != '[' && c != ']' && c != '"' {
			p.scratch = append(p.scratch, c)
		}
	}
	return p.scratch[start:len(p.scratch):len(p.scratch)]
}
