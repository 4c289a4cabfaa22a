package logline

import "bytes"

// What keys are in addition to the fields: read over, so that a newer plugin's lines stay
// readable. Those that are in most lines are told apart.
const (
	clientPort = numFields + iota
	qclass
	queryID
	unread
	// begin stands before the first key of a line.
	begin
	numKeys
)

var keys = [numKeys]string{
	RCode:           "rcode",
	Cause:           "cause",
	EDE:             "ede",
	Lasts:           "lasts",
	Owner:           "owner",
	At:              "at",
	Upstream:        "upstream",
	Zone:            "zone",
	Server:          "server",
	Protocol:        "protocol",
	ClientIP:        "client_ip",
	QName:           "qname",
	QType:           "qtype",
	Asked:           "asked",
	Duration:        "duration_seconds",
	Cached:          "cached",
	Sent:            "sent",
	Count:           "count",
	Names:           "names",
	Window:          "window_seconds",
	Top:             "top",
	After:           "after_seconds",
	Result:          "result",
	Text:            "text",
	Error:           "error",
	Advice:          "advice",
	CachedSum:       "cached_count",
	ClientNamespace: "client_namespace",
	ClientPod:       "client_pod",
	Instance:        "instance",
	Refines:         "refines",
	clientPort:      "client_port",
	qclass:          "qclass",
	queryID:         "id",
}

// fields has the field of each key that is kept.
var fields = func() map[string]Field {
	fields := make(map[string]Field, len(keys))
	for f, key := range keys {
		if key != "" {
			fields[key] = Field(f)
		}
	}
	return fields
}()

// field returns the field of a key, or the number of a key that is not kept. Lines are alike:
// what followed the key before last time is tried first.
func (p *Parser) field(before Field, key []byte) Field {
	if guess := p.follows[before]; keys[guess] == string(key) {
		return guess
	}
	f, ok := fields[string(key)]
	if !ok {
		f = unread
	}
	p.follows[before] = f
	return f
}

// key reads the key that b begins with, up to its equals sign, and returns how many octets
// that is, 0 if there is none.
func (p *Parser) key(before Field, b []byte) (f Field, octets int) {
	guess := p.follows[before]
	if key := keys[guess]; guess < unread && len(b) > len(key) && b[len(key)] == '=' && string(b[:len(key)]) == key {
		return guess, len(key) + 1
	}
	eq := bytes.IndexByte(b, '=')
	if eq < 1 || !isKey(b[:eq]) {
		return 0, 0
	}
	return p.field(before, b[:eq]), eq + 1
}

func isKey(b []byte) bool {
	for _, c := range b {
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_') {
			return false
		}
	}
	return true
}
