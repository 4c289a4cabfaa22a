package logline

import "bytes"

// object reads a line that is a JSON object: CoreDNS's own log record, or the
// wrapping of Docker's json-file driver ("log") or journalctl -o json
// ("MESSAGE"), which hold a line of either format as a string.
func (p *Parser) object(b []byte, r *Record, outer bool) (bool, error) {
	var (
		s            = scanner{p: p, b: b}
		inner, msg   []byte
		ours, isInfo bool
		bad          error // a shipper may sort the keys: whose line it is may show last
	)
	for {
		m, ok, err := s.next()
		if err != nil {
			return ours || bytes.Contains(b, marker), err
		}
		if !ok {
			break
		}
		switch string(m.key) {
		case "time":
			if t := p.plausible(rfc3339(m.text)); m.kind == '"' && !t.IsZero() {
				r.Time = t
			}
		case "__REALTIME_TIMESTAMP":
			if t := p.plausible(unixMicro(m.text)); !t.IsZero() {
				r.Time = t
			}
		case "log", "MESSAGE":
			if m.kind == '"' && outer {
				inner = m.text
			}
		case "plugin":
			ours = m.kind == '"' && string(m.text) == "ede"
		case "level":
			isInfo = m.kind == '"' && string(m.text) == "INFO"
		case "msg":
			if m.kind == '"' {
				msg = m.text
			}
		default:
			if err := p.setMember(r, m); bad == nil {
				bad = err
			}
		}
	}
	switch {
	case inner != nil && !ours:
		return p.unwrapped(inner, r)
	case !ours:
		return false, nil
	case !isInfo || r.seen&(1<<RCode|1<<Cause|1<<Result|1<<Sent) == 0:
		r.Kind = Notice
		r.values[Text] = p.printable(msg[:min(len(msg), maxText)])
		return true, nil
	case bad != nil:
		return true, bad
	}
	word, _, _ := bytes.Cut(msg, space)
	if r.Kind = kindOf(word); r.Kind == 0 {
		r.Kind = Query
	}
	return true, r.finish()
}

// unwrapped reads the line inside a wrapping, whose time stands if the line
// has none of its own.
func (p *Parser) unwrapped(line []byte, r *Record) (bool, error) {
	line = bytes.TrimRight(line, "\r\n")
	wrapped := r.Time
	*r = Record{Time: wrapped}
	if len(line) > 0 && line[0] == '{' {
		return p.object(line, r, false)
	}
	at := bytes.Index(line, marker)
	if at < 0 {
		return false, nil
	}
	found, err := p.plain(line, at, r)
	if r.Time.IsZero() {
		r.Time = wrapped
	}
	return found, err
}

func (p *Parser) setMember(r *Record, m member) error {
	switch m.kind {
	case 'n', '{':
		return nil
	case '[':
		m.text = bytes.Trim(m.text, "[] ")
		if len(m.text) == 0 {
			return nil
		}
	case '"':
		if len(m.text) == 0 {
			return nil
		}
		m.text = p.printable(m.text)
	}
	return p.set(r, m.key, m.text)
}
