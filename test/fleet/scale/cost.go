package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// A cost is what one report took.
type cost struct {
	failures uint64
	took     time.Duration
	cpu      time.Duration // of the report, and of the store that it asks
	memory   int64         // octets
}

func (c cost) String() string { return span(c.took) + ", CPU " + span(c.cpu) }

// asked adds what the store has spent to what a command has.
func asked(command func() (cost, error)) (cost, error) {
	before := spent()
	c, err := command()
	c.cpu += spent() - before
	return c, err
}

// run is a command, and what it took.
func run(ctx context.Context, ede string, args ...string) (c cost, err error) {
	cmd := exec.CommandContext(ctx, ede, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return c, err
	}
	c.took, c.cpu = time.Since(began), cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		c.memory = usage.Maxrss << 10
	}
	var r struct {
		Failures uint64 `json:"failures"`
	}
	if args[0] == "report" {
		err = json.Unmarshal(out.Bytes(), &r)
	}
	c.failures = r.Failures
	return c, err
}
