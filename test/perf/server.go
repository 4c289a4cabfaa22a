package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is a CoreDNS process. It has one core to itself where there are two,
// so that its throughput tells what it spends.
type server struct {
	port int
	cmd  *exec.Cmd
	log  bytes.Buffer
}

// start runs the binary with a Corefile that is made for its port. What it logs
// per query goes to /dev/null.
func (b *bench) start(ctx context.Context, corefile func(port int) string) (*server, error) {
	s := &server{}
	var err error
	if s.port, err = freePort(); err != nil {
		return nil, err
	}
	path := filepath.Join(b.dir, fmt.Sprintf("Corefile-%d", s.port))
	if err := os.WriteFile(path, []byte(corefile(s.port)), 0o644); err != nil {
		return nil, err
	}
	s.cmd = pinned(ctx, b.serverCore, b.binary, "-conf", path)
	s.cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GODEBUG="+b.godebug)
	s.cmd.Stderr = &s.log
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = 10 * time.Second
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	if err := s.await(ctx); err != nil {
		s.stop()
		return nil, fmt.Errorf("%w: %s", err, s.log.String())
	}
	return s, nil
}

// await returns once s accepts connections.
func (s *server) await(ctx context.Context) error {
	for range 200 {
		conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(s.port))
		if err == nil {
			// The UDP listener comes after the TCP one.
			time.Sleep(100 * time.Millisecond)
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(25 * time.Millisecond):
		}
	}
	return errors.New("CoreDNS does not serve")
}

func (s *server) stop() {
	_ = s.cmd.Cancel()
	_ = s.cmd.Wait()
}

// cpu is how long the threads of s have run.
func (s *server) cpu() (time.Duration, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", s.cmd.Process.Pid))
	if err != nil || len(tasks) == 0 {
		return 0, errors.New("no scheduler statistics of the server")
	}
	var sum time.Duration
	for _, path := range tasks {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // a thread that has ended
		}
		first, _, _ := strings.Cut(string(text), " ")
		n, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n)
	}
	return sum, nil
}

// rss is the resident memory of s in octets.
func (s *server) rss() (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, fmt.Errorf("statm has %q", text)
	}
	pages, err := strconv.Atoi(fields[1])
	return pages * os.Getpagesize(), err
}

// pinned is a command on one core, or on any if core is empty.
func pinned(ctx context.Context, core string, name string, args ...string) *exec.Cmd {
	if core == "" {
		return exec.CommandContext(ctx, name, args...)
	}
	return exec.CommandContext(ctx, "taskset", append([]string{"-c", core, name}, args...)...)
}

// freePort returns a port that nothing listens on, over UDP and TCP.
func freePort() (int, error) {
	for range 20 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, err
		}
		port := l.Addr().(*net.TCPAddr).Port
		l.Close()
		u, err := net.ListenPacket("udp", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			u.Close()
			return port, nil
		}
	}
	return 0, errors.New("no port is free")
}
