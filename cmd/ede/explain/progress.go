package explain

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// progress tells what is being done: on a terminal in one line that goes away
// in the end, elsewhere in a line every few seconds.
type progress struct {
	out   io.Writer
	width int // of the terminal; 0 if it is none
	every time.Duration
	began time.Time

	mu    sync.Mutex
	steps int
	last  string

	stop  chan struct{}
	ended sync.WaitGroup
}

const (
	heartbeat = 200 * time.Millisecond // on a terminal
	sign      = 3 * time.Second        // of life, elsewhere
	narrow    = 80
)

// begin starts to tell. finish has to be called.
func begin(out io.Writer, what string) *progress {
	p := &progress{out: out, every: sign, began: time.Now(), last: what, stop: make(chan struct{})}
	if fd, ok := terminal(out); ok {
		p.every = heartbeat
		if p.width, _, _ = term.GetSize(fd); p.width <= 0 {
			p.width = narrow
		}
	} else {
		fmt.Fprintln(out, what)
	}
	p.ended.Go(p.tell)
	return p
}

func terminal(w any) (fd int, ok bool) {
	f, ok := w.(*os.File)
	if !ok {
		return 0, false
	}
	return int(f.Fd()), term.IsTerminal(int(f.Fd()))
}

func (p *progress) step(s diagnose.Step) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.steps++
	p.last = option.Sanitize(s.What, maxLine)
}

func (p *progress) tell() {
	ticker := time.NewTicker(p.every)
	defer ticker.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-ticker.C:
		}
		p.mu.Lock()
		line := fmt.Sprintf("%.0f s, %d steps: %s", time.Since(p.began).Seconds(), p.steps, p.last)
		p.mu.Unlock()
		if p.width == 0 {
			fmt.Fprintln(p.out, line)
			continue
		}
		if runes := []rune(line); len(runes) >= p.width {
			line = string(runes[:p.width-1])
		}
		fmt.Fprint(p.out, "\r\x1b[K"+line)
	}
}

func (p *progress) finish() {
	close(p.stop)
	p.ended.Wait()
	if p.width > 0 {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
