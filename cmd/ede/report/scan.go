package report

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logline"
)

// blockSize is how much is read and parsed at a time. A line that does not fit
// is counted as malformed and read over.
const blockSize = 256 << 10

// A block is a piece of a log that holds whole lines, and its records.
type block struct {
	data    []byte
	n       int // of data that is in use
	live    bool
	parser  logline.Parser
	records []logline.Record
	lines   uint64
	bad     [logline.NumMalformed]uint64
	parsed  chan struct{}
}

// parse reads all lines of the block. The records point into it.
func (b *block) parse() {
	b.parser.Reset()
	b.records = b.records[:0]
	rest := b.data[:b.n]
	for len(rest) > 0 {
		line := rest
		if end := bytes.IndexByte(rest, '\n'); end >= 0 {
			line, rest = rest[:end], rest[end+1:]
		} else {
			rest = nil
		}
		b.lines++
		b.take(line)
	}
	b.parsed <- struct{}{}
}

func (b *block) take(line []byte) {
	if len(b.records) == cap(b.records) {
		b.records = append(b.records, logline.Record{})[:len(b.records)]
	}
	r := &b.records[:len(b.records)+1][len(b.records)]
	found, err := b.parser.Parse(line, r)
	var bad logline.Malformed
	switch {
	case errors.As(err, &bad):
		b.bad[bad]++
	case found:
		b.records = b.records[:len(b.records)+1]
	}
}

// A liveReader knows whether what it read was written after the start.
type liveReader interface {
	io.Reader
	Live() bool
}

// scan reads src to its end, or until ctx is done. Parsing is spread over all
// CPUs; sink gets the blocks in the order of the log, one at a time, and must
// not keep anything of them. Memory is bounded by the number of blocks.
func scan(ctx context.Context, src io.Reader, setup logline.Parser, sink func(*block)) error {
	workers := runtime.GOMAXPROCS(0)
	total := 2*workers + 2
	var (
		free    = make(chan *block, total)
		work    = make(chan *block, total)
		ordered = make(chan *block, total)
		failed  = make(chan error, 1)
	)
	for range total {
		free <- &block{data: make([]byte, blockSize), parser: setup, parsed: make(chan struct{}, 1)}
	}
	for range workers {
		go func() {
			for b := range work {
				b.parse()
			}
		}()
	}
	go func() {
		err := cut(ctx, src, free, func(b *block) {
			work <- b
			ordered <- b
		})
		close(work)
		failed <- err
		close(ordered)
	}()
	for {
		select {
		case b, more := <-ordered:
			if !more {
				return <-failed
			}
			<-b.parsed
			sink(b)
			free <- b
		case <-ctx.Done():
			// A reader that hangs in a pipe is left behind: the process ends soon.
			return ctx.Err()
		}
	}
}

// cut fills free blocks with whole lines. It hands on after each read, so that
// a log that is being written is seen line by line.
func cut(ctx context.Context, src io.Reader, free <-chan *block, emit func(*block)) error {
	var tail []byte
	live, _ := src.(liveReader)
	overlong := false
	for {
		var b *block
		select {
		case b = <-free:
		case <-ctx.Done():
			return ctx.Err()
		}
		b.lines, b.bad, b.live = 0, [logline.NumMalformed]uint64{}, false
		b.n = copy(b.data, tail)
		n, err := src.Read(b.data[b.n:])
		b.live = live != nil && live.Live()
		b.n += n
		if overlong {
			overlong = b.dropLine()
		}
		end := bytes.LastIndexByte(b.data[:b.n], '\n') + 1
		if err != nil {
			end = b.n
		}
		tail = append(tail[:0], b.data[end:b.n]...)
		if len(tail) == len(b.data) {
			tail, overlong = tail[:0], true
			b.lines++
			b.bad[logline.TooLong]++
		}
		b.n = end
		emit(b)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// dropLine takes the rest of an overlong line away, and says whether it goes on.
func (b *block) dropLine() bool {
	end := bytes.IndexByte(b.data[:b.n], '\n')
	if end < 0 {
		b.n = 0
		return true
	}
	b.n = copy(b.data, b.data[end+1:b.n])
	return false
}
