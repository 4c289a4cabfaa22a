package report

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"time"
)

// stdinName is how the command line names standard input.
const stdinName = "-"

// A source is one log, opened.
type source struct {
	io.Reader
	name    string
	close   func() error
	changed time.Time // zero if unknown
}

// open opens a file or standard input, and decompresses gzip, which it tells
// by its first bytes (RFC 1952 section 2.3.1): rotated logs lose their suffix.
// What is read of the file itself, compressed, is told to progress.
func open(name string, stdin io.Reader, progress func(int)) (*source, error) {
	src := &source{name: name, close: func() error { return nil }}
	raw := stdin
	if name != stdinName {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		raw, src.close = f, f.Close
		if info, err := f.Stat(); err == nil {
			if info.IsDir() {
				f.Close()
				return nil, fmt.Errorf("%s is a directory", name)
			}
			src.changed = info.ModTime()
		}
	}
	buffered := bufio.NewReaderSize(counting{raw, progress}, blockSize)
	src.Reader = buffered
	if magic, _ := buffered.Peek(2); len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(buffered)
		if err != nil {
			src.close()
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		src.Reader = z
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

// size is the sum of the files' sizes, -1 if one has none to tell.
func size(names []string) (total int64) {
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil || !info.Mode().IsRegular() {
			return -1
		}
		total += info.Size()
	}
	return total
}
