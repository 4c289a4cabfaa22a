// Package report sums up the log that the ede plugin writes: what failed, who
// must act, what to do first. It reads any amount of log in bounded memory;
// counts by cause, rcode and owner are exact, those by zone, name, upstream
// and client may be too high by a stated bound where there are more of them
// than its tables hold.
package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/figures"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logfile"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logline"
)

// What callers of Run read and set is of figures.
type (
	Report = figures.Report
	Cause  = figures.Cause
	Top    = figures.Top
	Item   = figures.Item
	Style  = figures.Style
)

// A Format is what a report is written as.
type Format uint8

// The formats of a report.
const (
	Text Format = iota
	JSON
	CSV
)

// Config is what a report is made from, and how.
type Config struct {
	Files []string // none is standard input, as is "-"
	// From is the address of a store to ask in place of reading files, and Header
	// what each request to it bears. Asking is told what is asked, how much has been
	// asked and how much there is; nil for none.
	From      string
	Header    http.Header
	Timeout   time.Duration // of all questions to the store, 0 for none
	Asking    func(what string, done, total int)
	Stdin     io.Reader
	Out       io.Writer
	Progress  func(read int) // told of each read; nil for none
	Format    Format
	Style     figures.Style
	Top       int
	Filter    Filter
	Knowledge Knowledge
	// Follow goes on reading as the files grow, until the context is done.
	Follow bool
	// Redraw is how often a followed report is drawn anew; at 0 new failures
	// are written instead, one a line, as they come.
	Redraw time.Duration
	// Now is the clock, nil for time.Now.
	Now func() time.Time
}

// A run is one reading of logs into one tally.
type run struct {
	Config
	mu       sync.Mutex
	tally    *tally
	admitted []admitted // of the block that is being counted
	problems []string
	partial  bool
	dirty    bool
}

// Run reads and writes the report. When ctx is done early it writes what it
// has. The error is of files that could not be read, or of a store part of which
// could not be asked, after the report of the rest; malformed lines are no error.
func Run(ctx context.Context, c Config) error {
	if len(c.Files) == 0 {
		c.Files = []string{logfile.Stdin}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Style.Location == nil {
		c.Style.Location = time.Local
	}
	c.Top = cmp.Or(max(c.Top, 0), 10)
	r := &run{Config: c, tally: newTally(c.Filter)}
	for _, name := range c.Filter.Causes {
		if !c.Knowledge.knows(name) {
			r.problems = append(r.problems, fmt.Sprintf("%q is no cause of this version: `ede causes` lists them", name))
		}
	}
	var err error
	if c.From != "" {
		err = r.store(ctx)
	} else {
		err = r.read(ctx)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.From != "" && ctx.Err() != nil {
		return errors.New("interrupted: no report, which needs all answers of the store")
	}
	if err != nil && r.tally.ours == 0 {
		// An empty report next to an error would say that nothing failed.
		return err
	}
	if ctx.Err() != nil && !c.Follow {
		r.problems = append(r.problems, "interrupted: this is not the whole log")
	}
	r.partial = err != nil || ctx.Err() != nil && !c.Follow
	return errors.Join(err, r.write())
}

func (r *run) write() error {
	rep := r.tally.report(r.Knowledge, r.Top)
	rep.Log.Problems, rep.Partial = r.problems, r.partial
	switch r.Format {
	case JSON:
		return rep.WriteJSON(r.Out)
	case CSV:
		return rep.WriteCSV(r.Out)
	}
	return rep.WriteText(r.Out, r.Style)
}

func (r *run) read(ctx context.Context) error {
	if r.Follow {
		return r.follow(ctx)
	}
	var errs []error
	for _, name := range r.Files {
		if ctx.Err() != nil {
			break
		}
		if err := r.file(ctx, name); err != nil && !errors.Is(err, context.Canceled) {
			errs = append(errs, err)
			r.problem(err)
		}
	}
	return errors.Join(errs...)
}

func (r *run) file(ctx context.Context, name string) error {
	src, err := logfile.Open(name, r.Stdin, r.Progress)
	if err != nil {
		return err
	}
	defer src.Close()
	if err := logfile.Scan(ctx, src, r.parser(src.Changed), r.take); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// follow reads all files at the same time; each has its own place in time.
func (r *run) follow(ctx context.Context) error {
	var (
		readers sync.WaitGroup
		errs    = make([]error, len(r.Files))
	)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for i, name := range r.Files {
		src, err := r.openLive(ctx, name)
		if err != nil {
			errs[i] = err
			r.problem(err)
			continue
		}
		readers.Go(func() {
			defer src.Close()
			err := logfile.Scan(ctx, src, r.parser(time.Time{}), r.take)
			if err != nil && !errors.Is(err, context.Canceled) {
				errs[i] = fmt.Errorf("%s: %w", name, err)
				r.problem(errs[i])
			}
		})
	}
	done := make(chan struct{})
	go func() { readers.Wait(); close(done) }()
	r.redraw(done)
	<-done
	return errors.Join(errs...)
}

type liveSource interface {
	logfile.LiveReader
	io.Closer
}

// stream is standard input, all of which comes after the start.
type stream struct{ io.Reader }

func (stream) Live() bool   { return true }
func (stream) Close() error { return nil }

func (r *run) openLive(ctx context.Context, name string) (liveSource, error) {
	if name == logfile.Stdin {
		return stream{r.Stdin}, nil
	}
	return logfile.Follow(ctx, name)
}

// clearScreen puts the cursor home and clears what is below and above it.
const clearScreen = "\x1b[H\x1b[2J\x1b[3J"

func (r *run) redraw(done <-chan struct{}) {
	if r.Redraw <= 0 {
		return
	}
	tick := time.NewTicker(r.Redraw)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		r.mu.Lock()
		if r.dirty {
			r.dirty = false
			io.WriteString(r.Out, clearScreen)
			r.write()
		}
		r.mu.Unlock()
	}
}

func (r *run) parser(reference time.Time) logline.Parser {
	return logline.Parser{Location: r.Style.Location, Reference: reference, Now: r.Now}
}

func (r *run) problem(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = append(r.problems, err.Error())
}
