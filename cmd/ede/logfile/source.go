package logfile

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"time"
)

// Stdin is how a command line names standard input.
const Stdin = "-"

// A Source is one log, opened.
type Source struct {
	io.Reader
	// Close ends reading.
	Close func() error
	// Changed is when the file was last written to, zero if unknown.
	Changed time.Time
}

// Open opens a file or standard input, and decompresses gzip, which it tells
// by its first bytes (RFC 1952 section 2.3.1): rotated logs lose their suffix.
// What is read of the file itself, compressed, is told to progress.
func Open(name string, stdin io.Reader, progress func(int)) (*Source, error) {
	src := &Source{Close: func() error { return nil }}
	raw := stdin
	if name != Stdin {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		raw, src.Close = f, f.Close
		if info, err := f.Stat(); err == nil {
			if info.IsDir() {
				f.Close()
				return nil, fmt.Errorf("%s is a directory", name)
			}
			src.Changed = info.ModTime()
		}
	}
	// What is longer than the buffer is read past it.
	buffered := bufio.NewReaderSize(counting{raw, progress}, readSize/2)
	src.Reader = buffered
	if magic, _ := buffered.Peek(2); len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(buffered)
		if err != nil {
			src.Close()
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		// A decompressor gives what it has, which may be less than is asked for.
		buffered = bufio.NewReaderSize(z, blockSize)
		src.Reader = buffered
	}
	if head, _ := buffered.Peek(peeked); isDocument(head) {
		src.Reader = newDocument(buffered)
	}
	return src, nil
}

// counting tells how far reading has come.
type counting struct {
	io.Reader
	told func(int)
}

func (c counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if c.told != nil {
		c.told(n)
	}
	return n, err
}

// Size is the sum of the files' sizes, -1 if one has none to tell.
func Size(names []string) (total int64) {
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil || !info.Mode().IsRegular() {
			return -1
		}
		total += info.Size()
	}
	return total
}
