// Package logline finds and reads the lines that the ede plugin writes to
// CoreDNS's log, in text and in JSON, whatever sink has put its own stamp or
// wrapping around them (kubectl, CRI, Docker, journald, plain files).
//
// What it reads is hostile: names, texts and errors come off the wire. Every
// value it hands out is bounded in length and holds printable characters only,
// so it may go to a terminal as it is.
//
// How lines add up: a query line is one failure. The count of a summary line
// is the number of failures in its window that were not logged as query lines
// of their own, so the sum over both is the number of failures. Recovered and
// diagnosis lines tell of failures that were counted already, and answer lines
// of no failure.
package logline

import (
	"bytes"
	"strconv"
	"time"
)

// Kind tells ede's lines apart.
type Kind uint8

const (
	// Query is one failing query.
	Query Kind = iota + 1
	// Summary stands for Count failures that have no line of their own.
	Summary
	// Drops stands for Count queries that a plugin dropped, so that they got no
	// answer. They are no failures.
	Drops
	// Recovered ends an incident; its Count is the incident's and was told before.
	Recovered
	// Diagnosis is what probing a failure found out: a diagnosis, or the reason that the
	// upstream gave when it was asked once more.
	Diagnosis
	// Answer is one that did not fail and that has a reason.
	Answer
	// Notice is anything else the plugin said, in Text: a warning at start, say.
	Notice
)

var kindWords = [...]string{Query: "query", Summary: "summary", Drops: "dropped", Recovered: "recovered", Diagnosis: "diagnosis", Answer: "answer", Notice: "notice"}

func (k Kind) String() string {
	if int(k) < len(kindWords) {
		return kindWords[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// Field names a value of a record.
type Field uint8

// The fields, in the order in which a text line has them. Cached is a boolean
// on a query line. Summaries have CachedSum; older ones had a number in Cached.
// The record has both parsed.
const (
	RCode Field = iota
	Cause
	EDE
	Lasts
	Owner
	At
	Upstream
	Zone
	Server
	Protocol
	ClientIP
	QName
	QType
	Asked
	Duration
	Cached
	Sent
	Count
	Names
	Window
	Top
	After
	Result
	Text
	Error
	Advice
	// CachedSum is how many failures of a summary came from cache.
	CachedSum
	// Instance is the process that wrote the line: by its own word, else by that
	// of the sink (the Pod of kubectl --prefix, the host of syslog).
	Instance
	// ClientNamespace and ClientPod are the client in a Kubernetes cluster.
	ClientNamespace
	ClientPod
	// Refines is the cause that a failure had before it was diagnosed.
	Refines
	numFields
)

// A Record is one line of ede's log. It is meant to be reused: Parse empties it.
type Record struct {
	Kind Kind
	// Time is when the line was written, zero if neither the line nor the
	// sink tells. CoreDNS's own text log does not.
	Time time.Time
	// Count is how many failures the line stands for: 1 on a query line, 0 on
	// Diagnosis, Answer and Notice. On Recovered it is the whole incident's.
	Count uint64
	// CachedCount is how many of Count came from cache.
	CachedCount uint64
	// WindowSeconds is the stretch of time before Time that a summary covers.
	WindowSeconds float64
	// AfterSeconds is how long a recovered incident had lasted.
	AfterSeconds float64

	// Alike is the same for records that have the same RCode, Cause, EDE, Lasts, Owner, At,
	// Upstream, Server, Sent and Instance, in this process. Records that differ in one of these
	// have the same once in 2^64.
	Alike uint64

	// values are of use only where seen has the bit of their field. They are not emptied for
	// the next line, which would take longer than reading some lines.
	values [numFields][]byte
	seen   uint32
}

// begin empties r for a line of that time, which may be zero.
func (r *Record) begin(at time.Time) {
	r.Kind, r.Time, r.Count, r.CachedCount, r.WindowSeconds, r.AfterSeconds, r.Alike, r.seen = 0, at, 0, 0, 0, 0, 0, 0
}

func (r *Record) put(f Field, val []byte) {
	r.values[f] = val
	r.seen |= 1 << f
}

// has reports whether the line has one of some fields, which are bits.
func (r *Record) has(fields uint32) bool { return r.seen&fields != 0 }

// Get returns a field's value, nil if the line has none. Names (qname, asked,
// zone) are in lower case. The bytes are valid as long as the line given to
// Parse is, and until the parser's next Reset.
func (r *Record) Get(f Field) []byte {
	if !r.has(1 << f) {
		return nil
	}
	return r.values[f]
}

// Codes appends the record's INFO-CODEs (RFC 8914 section 4), in the order of
// their options, to dst.
func (r *Record) Codes(dst []uint16) []uint16 {
	n, digits := 0, false
	for _, c := range r.Get(EDE) {
		switch {
		case c >= '0' && c <= '9':
			n, digits = n*10+int(c-'0'), true
		case digits:
			dst, n, digits = append(dst, uint16(n)), 0, false
		}
	}
	if digits {
		dst = append(dst, uint16(n))
	}
	return dst
}

// FirstCode returns the first of the record's INFO-CODEs, if it has any.
func (r *Record) FirstCode() (code uint16, ok bool) {
	for _, c := range r.Get(EDE) {
		if c < '0' || c > '9' {
			if ok {
				break
			}
			continue
		}
		code, ok = code*10+uint16(c-'0'), true
	}
	return code, ok
}

// TopNames yields the names that a summary counted most, each with its count.
// A pair that cannot be read ends it: the names are a sample, the count stands.
func (r *Record) TopNames(yield func(name []byte, count uint64) bool) {
	rest := r.Get(Top)
	for range maxTopNames {
		var pair []byte
		pair, rest = cutPair(rest)
		colon := lastByte(pair, ':')
		if colon < 1 {
			return
		}
		count, err := number(pair[colon+1:])
		if err != nil || !yield(pair[:colon], count) {
			return
		}
	}
}

// cutPair splits at the first space that is not part of a name: presentation
// format (RFC 1035 section 5.1) writes a space inside a label as `\ `.
func cutPair(b []byte) (pair, rest []byte) {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case ' ':
			return b[:i], b[i+1:]
		}
	}
	return b, nil
}

func lastByte(b []byte, c byte) int {
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] == c {
			return i
		}
	}
	return -1
}

// Codes reads INFO-CODEs as a store gives them back, "[23,13]". It returns them in
// the form of a Record's, the first of them, and whether there are any.
func Codes(list string) (codes string, first uint16, ok bool) {
	var p Parser
	var r Record
	all := bytes.Trim(p.codes([]byte(list)), " ")
	if len(all) == 0 || len(all) > maxLabel || !isCodes(all) {
		return "", 0, false
	}
	r.put(EDE, all)
	first, ok = r.FirstCode()
	return string(all), first, ok
}
