package logfile

import (
	"context"
	"io"
	"os"
	"time"
)

// pollEvery is how often a followed file is looked at. Polling works on every
// file system a log may lie on; the kernel's notifications do not.
const pollEvery = 250 * time.Millisecond

// A Tail reads a file that is being written, on to the file that takes its
// place when the log is rotated, and from the start again when it is cut short
// (copytruncate). Read blocks for more, and ends when ctx is done.
type Tail struct {
	ctx    context.Context
	path   string
	file   *os.File
	offset int64
	live   bool
	gone   bool // another file has the name; this one is read to its end
}

// Follow opens the file at path.
func Follow(ctx context.Context, path string) (*Tail, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return &Tail{ctx: ctx, path: path, file: f}, nil
}

// Live says whether all that was there at the start has been read.
func (t *Tail) Live() bool { return t.live }

// Close ends reading.
func (t *Tail) Close() error { return t.file.Close() }

// Read waits for more at the end of the file, until the context is done.
func (t *Tail) Read(p []byte) (int, error) {
	for {
		n, err := t.file.Read(p)
		t.offset += int64(n)
		if n > 0 {
			return n, nil
		}
		if err != nil && err != io.EOF {
			return 0, err
		}
		wasGone := t.gone
		if t.moved() {
			// A line that was cut off must not run into the next file's first.
			p[0] = '\n'
			return 1, nil
		}
		if t.gone && !wasGone {
			continue
		}
		t.live = true
		select {
		case <-t.ctx.Done():
			return 0, io.EOF
		case <-time.After(pollEvery):
		}
	}
}

// moved goes to where the log goes on, and says whether that is elsewhere. The
// old file is read once more between the look that finds it replaced and
// leaving it: lines may have been written since its end was met.
func (t *Tail) moved() bool {
	info, err := os.Stat(t.path)
	if err != nil {
		return false // between rename and create
	}
	mine, err := t.file.Stat()
	if err != nil {
		return false
	}
	if os.SameFile(info, mine) {
		t.gone = false
		if info.Size() >= t.offset {
			return false
		}
		t.offset = 0
		_, err := t.file.Seek(0, io.SeekStart)
		return err == nil
	}
	if !t.gone {
		t.gone = true
		return false
	}
	next, err := os.Open(t.path)
	if err != nil {
		return false
	}
	t.file.Close()
	t.file, t.offset, t.gone = next, 0, false
	return true
}
