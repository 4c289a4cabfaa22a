package logline

import "bytes"

// A habit is what the lines of one format have in common. Nearly all of their keys, and most
// values, are those of lines before: these are compared as a whole, which takes a fraction of
// the time of reading them.
type habit struct {
	// follows has for each key the one that stood behind it last.
	follows [numKeys]Field
	// told has for each key some values of it, and oldest the number of the one that the next
	// takes the place of.
	told   [numKeys][toldOfKey]told
	oldest [numKeys]uint8
}

// toldOfKey is how many values of a key are kept. Logs have few upstreams.
const toldOfKey = 4

// told is a key with its value as it stood in a line, where in it the octets are that the
// value was read as, and the sum of the value.
type told struct {
	raw     []byte
	at, end int
	sum     uint64
}

// maxTold bounds the octets that are kept of a key with its value.
const maxTold = 128

// few are the keys that have the same value in many lines.
var few = [numKeys]bool{
	RCode: true, Cause: true, EDE: true, Lasts: true, Owner: true, At: true, Upstream: true, Server: true, Protocol: true,
	QType: true, Cached: true, Sent: true, Text: true, Error: true, Instance: true, Refines: true,
	qclass: true, jsonLevel: true, jsonMsg: true, jsonPlugin: true,
}

// again returns the key of what b begins with and what was kept of it, nil if that is nothing
// that was kept of the key that is expected.
func (h *habit) again(before Field, b []byte) (Field, *told) {
	f := h.follows[before]
	for i := range h.told[f] {
		t := &h.told[f][i]
		if len(t.raw) == 0 {
			break
		}
		if bytes.HasPrefix(b, t.raw) {
			return f, t
		}
	}
	return 0, nil
}

// keep remembers how a key stood in a line with its value, which must be valid, and depend on
// nothing but raw.
func (h *habit) keep(f Field, raw, val []byte) {
	if !few[f] || len(raw) > maxTold || len(val) == 0 {
		return
	}
	// A value with escapes is not in the line.
	if at := bytes.Index(raw, val); at >= 0 {
		t := &h.told[f][h.oldest[f]]
		h.oldest[f] = (h.oldest[f] + 1) % toldOfKey
		t.raw, t.at, t.end, t.sum = append(t.raw[:0], raw...), at, at+len(val), sumOf(f, val)
	}
}

// field returns the field of a key, or the number of a key that is none.
func (h *habit) field(before Field, key []byte) Field {
	if guess := h.follows[before]; keys[guess] == string(key) {
		return guess
	}
	f, ok := fields[string(key)]
	if !ok {
		f = unread
	}
	h.follows[before] = f
	return f
}

// key reads the key that b begins with, up to its equals sign, and returns how many octets
// that is, 0 if there is none.
func (h *habit) key(before Field, b []byte) (f Field, octets int) {
	guess := h.follows[before]
	if key := keys[guess]; guess < unread && len(b) > len(key) && b[len(key)] == '=' && string(b[:len(key)]) == key {
		return guess, len(key) + 1
	}
	eq := bytes.IndexByte(b, '=')
	if eq < 1 || !isKey(b[:eq]) {
		return 0, 0
	}
	return h.field(before, b[:eq]), eq + 1
}
