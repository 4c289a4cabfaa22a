package logline

import (
	"bytes"
	"time"
)

// cutSource takes off what says where a line came from:
// "[pod/coredns-5d78c/coredns] " of kubectl --prefix, "coredns-1  | " of compose.
func cutSource(b []byte) (source, rest []byte) {
	if len(b) > 0 && b[0] == '[' {
		if end := bytes.Index(b, []byte("] ")); end > 0 {
			source, b = b[1:end], b[end+2:]
			if _, pod, ok := bytes.Cut(source, []byte("/")); ok {
				source, _, _ = bytes.Cut(pod, []byte("/"))
			}
		}
	}
	if bytes.IndexByte(b, '|') >= 0 {
		if bar := bytes.Index(b, []byte(" | ")); bar >= 0 {
			source, b = bytes.TrimRight(b[:bar], " "), b[bar+3:]
		}
	}
	return source, bytes.TrimLeft(b, " ")
}

// hostOf returns which instance a line is of by what the sink has put before it, in want
// of a source that it begins with: the host of syslog and journald,
//
//	Nov 20 14:02:11 host coredns[9]:
//	2026-11-20T14:02:11+0100 host coredns[9]:
//
// which no other stamp has, as theirs is all that stands there.
func hostOf(rest []byte) []byte {
	if rest = bytes.TrimRight(rest, " "); len(rest) == 0 || rest[len(rest)-1] != ':' {
		return nil
	}
	if len(rest) > len(time.Stamp) && rest[0] >= 'A' && rest[3] == ' ' {
		rest = rest[len(time.Stamp):]
	} else if at := bytes.IndexByte(rest, ' '); at > 0 && rest[0] >= '0' && rest[0] <= '9' {
		rest = rest[at:]
	}
	host, program, ok := bytes.Cut(bytes.TrimLeft(rest, " "), space)
	if !ok || len(program) < 2 || bytes.IndexByte(program, ' ') >= 0 {
		return nil
	}
	return host
}

// A header is what syslog says of a message.
type header struct {
	time   time.Time
	source []byte
}

// maxDigits bounds what may stand before the priority.
const maxDigits = 8

var bom = []byte("\xef\xbb\xbf")

// syslogHeader takes the header of RFC 5424 section 6 off a line, with the octet
// count that RFC 6587 section 3.4.1 puts before it, or the bare priority of RFC
// 3164. It returns the whole line if there is none.
func (p *Parser) syslogHeader(line []byte) (h header, rest []byte) {
	digits := 0
	for digits < min(len(line), maxDigits) && (line[digits] == ' ' || '0' <= line[digits] && line[digits] <= '9') {
		digits++
	}
	b := line[digits:]
	if len(b) < 3 || b[0] != '<' {
		return h, line
	}
	end := bytes.IndexByte(b[:min(len(b), 5)], '>')
	if end < 2 || bytes.Trim(b[1:end], "0123456789") != nil && len(bytes.Trim(b[1:end], "0123456789")) > 0 {
		return h, line
	}
	b = b[end+1:]
	if !bytes.HasPrefix(b, []byte("1 ")) {
		return h, b
	}
	// TIMESTAMP HOSTNAME APP-NAME PROCID MSGID
	var words [5][]byte
	b = b[2:]
	for i := range words {
		var ok bool
		if words[i], b, ok = bytes.Cut(b, space); !ok {
			return h, line
		}
	}
	b, ok := pastStructuredData(b)
	if !ok {
		return h, line
	}
	h.time = p.plausible(rfc3339(words[0]))
	if string(words[1]) != "-" {
		h.source = words[1]
	}
	return h, bytes.TrimPrefix(bytes.TrimPrefix(b, space), bom)
}

// pastStructuredData steps over "-", or over elements in brackets, whose quoted
// values may hold a bracket (RFC 5424 section 6.3).
func pastStructuredData(b []byte) ([]byte, bool) {
	if len(b) > 0 && b[0] == '-' {
		return b[1:], true
	}
	quoted := false
	for i := 0; i < len(b); i++ {
		switch {
		case quoted && b[i] == '\\':
			i++
		case b[i] == '"':
			quoted = !quoted
		case !quoted && b[i] == ']' && (i+1 == len(b) || b[i+1] != '['):
			return b[i+1:], true
		case i == 0 && b[i] != '[':
			return nil, false
		}
	}
	return nil, false
}
