// Package logfile reads logs, from files, pipes and files that grow, and parses
// their lines on all processors.
package logfile

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logline"
)

const (
	// readSize is how much is read and parsed at a time: with its records it is to fit into
	// the cache of a processor.
	readSize = 128 << 10
	// blockSize is the longest line. What does not fit is counted as malformed and read
	// over.
	blockSize = 256 << 10
)

// A Block is a piece of a log that holds whole lines, and its records. It is valid
// while the function that is given it runs.
type Block struct {
	// Live is true for what was written after reading began.
	Live    bool
	Records []logline.Record
	// Lines is how many lines there are, ede's or not, and Bad how many of ede's could
	// not be read, by reason.
	Lines uint64
	Bad   [logline.NumMalformed]uint64

	data   []byte
	n      int // of data that is in use
	parser logline.Parser
	parsed chan struct{}
}

// parse reads all lines of the block. The records point into it.
func (b *Block) parse() {
	b.parser.Reset()
	b.Records = b.Records[:0]
	rest := b.data[:b.n]
	for len(rest) > 0 {
		line := rest
		if end := bytes.IndexByte(rest, '\n'); end >= 0 {
			line, rest = rest[:end], rest[end+1:]
		} else {
			rest = nil
		}
		b.Lines++
		b.take(line)
	}
	b.parsed <- struct{}{}
}

func (b *Block) take(line []byte) {
	if len(b.Records) == cap(b.Records) {
		b.Records = append(b.Records, logline.Record{})[:len(b.Records)]
	}
	r := &b.Records[:len(b.Records)+1][len(b.Records)]
	switch found, err := b.parser.Parse(line, r); {
	case err != nil:
		b.spoil(err)
	case found:
		b.Records = b.Records[:len(b.Records)+1]
	}
}

// spoil counts a line that cannot be read.
func (b *Block) spoil(err error) {
	var bad logline.Malformed
	if errors.As(err, &bad) {
		b.Bad[bad]++
	}
}

// A LiveReader knows whether what it read was written after the start.
type LiveReader interface {
	io.Reader
	Live() bool
}

// Scan reads src to its end, or until ctx is done. Parsing is spread over all
// CPUs; sink gets the blocks in the order of the log, one at a time, and must
// not keep anything of them. Memory is bounded by the number of blocks.
func Scan(ctx context.Context, src io.Reader, setup logline.Parser, sink func(*Block)) error {
	workers := runtime.GOMAXPROCS(0)
	total := 2*workers + 2
	var (
		free    = make(chan *Block, total)
		work    = make(chan *Block, total)
		ordered = make(chan *Block, total)
		failed  = make(chan error, 1)
	)
	for range total {
		free <- &Block{data: make([]byte, blockSize), parser: setup, parsed: make(chan struct{}, 1)}
	}
	for range workers {
		go func() {
			for b := range work {
				b.parse()
			}
		}()
	}
	go func() {
		err := cut(ctx, src, free, func(b *Block) {
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
func cut(ctx context.Context, src io.Reader, free <-chan *Block, emit func(*Block)) error {
	var tail []byte
	live, _ := src.(LiveReader)
	overlong := false
	for {
		var b *Block
		select {
		case b = <-free:
		case <-ctx.Done():
			return ctx.Err()
		}
		b.Lines, b.Bad, b.Live = 0, [logline.NumMalformed]uint64{}, false
		b.n = copy(b.data, tail)
		n, err := src.Read(b.data[b.n:min(b.n+readSize, blockSize)])
		b.Live = live != nil && live.Live()
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
			b.Lines++
			b.Bad[logline.TooLong]++
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
func (b *Block) dropLine() bool {
	end := bytes.IndexByte(b.data[:b.n], '\n')
	if end < 0 {
		b.n = 0
		return true
	}
	b.n = copy(b.data, b.data[end+1:b.n])
	return false
}
