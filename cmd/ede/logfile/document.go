package logfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// peeked is how much of a source tells whether it is one JSON document.
const peeked = 4096

// isDocument reports whether a source that begins with head is the answer of a
// store to a search as one document, and not a record a line: an array, or an
// object whose first members are those of Elasticsearch, Loki or ClickHouse.
func isDocument(head []byte) bool {
	trimmed := bytes.TrimLeft(head, " \t\r\n")
	if len(trimmed) == 0 {
		return false
	}
	if trimmed[0] == '[' {
		rest := bytes.TrimLeft(trimmed[1:], " \t\r\n")
		return len(rest) > 0 && rest[0] == '{'
	}
	d := json.NewDecoder(bytes.NewReader(trimmed))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return false
	}
	switch key, _ := d.Token(); key {
	case "took", "_scroll_id", "_shards", "hits", "timed_out", "pit_id": // Elasticsearch
		return true
	case "meta": // ClickHouse, FORMAT JSON
		return true
	case "status": // Loki's query_range
		status, _ := d.Token()
		return status == "success"
	}
	return false
}

// A document gives the records of an answer one a line. Records are the objects of
// an array that is none of a record's own, and the lines of Loki's streams.
type document struct {
	d    *json.Decoder
	line []byte
	// depth is how many arrays and objects are open, and arrays whether each is an
	// array.
	arrays []bool
	done   bool
}

func newDocument(r io.Reader) *document { return &document{d: json.NewDecoder(r)} }

var errCut = fmt.Errorf("the JSON ends within an array or object: %w", io.ErrUnexpectedEOF)

// maxNesting is beyond what any answer nests above its records.
const maxNesting = 16

func (d *document) Read(p []byte) (int, error) {
	for len(d.line) == 0 {
		if d.done {
			return 0, io.EOF
		}
		if err := d.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, d.line)
	d.line = d.line[n:]
	return n, nil
}

// next walks on to the next record, or to the end.
func (d *document) next() error {
	if n := len(d.arrays); n > 0 && d.arrays[n-1] && d.d.More() {
		return d.element()
	}
	t, err := d.d.Token()
	switch {
	case errors.Is(err, io.EOF) && len(d.arrays) == 0:
		d.done = true
		return nil
	case errors.Is(err, io.EOF):
		return errCut
	case err != nil:
		return err
	}
	switch t {
	case json.Delim('{'), json.Delim('['):
		if len(d.arrays) == maxNesting {
			return errors.New("the JSON nests too deeply")
		}
		d.arrays = append(d.arrays, t == json.Delim('['))
	case json.Delim('}'), json.Delim(']'):
		d.arrays = d.arrays[:len(d.arrays)-1]
	}
	return nil
}

// element reads one element of an array. An object with values of its own is a
// record, or one of Loki's streams; what else there is, as the types of columns, is
// no line of ede's and is read over below.
func (d *document) element() error {
	var raw json.RawMessage
	switch err := d.d.Decode(&raw); {
	case errors.Is(err, io.EOF):
		return errCut
	case err != nil:
		return err
	}
	if len(raw) == 0 || raw[0] != '{' {
		return nil
	}
	var stream struct {
		Stream json.RawMessage `json:"stream"`
		Values [][]json.RawMessage
	}
	if json.Unmarshal(raw, &stream) == nil && stream.Stream != nil && stream.Values != nil {
		for _, v := range stream.Values {
			if len(v) > 1 {
				d.line = fmt.Appendf(d.line, `{"timestamp":%s,"line":%s,"labels":%s}`+"\n", v[0], v[1], stream.Stream)
			}
		}
		return nil
	}
	var line bytes.Buffer
	if err := json.Compact(&line, raw); err != nil {
		return err
	}
	d.line = append(line.Bytes(), '\n')
	return nil
}
