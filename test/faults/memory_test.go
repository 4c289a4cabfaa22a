//go:build linux

package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

const limit = 128 << 20

// A flood, and a crowd over TCP, in 128 MiB: GOMEMLIMIT, and a control group
// that kills the process beyond.
func TestMemoryLimit(t *testing.T) {
	parallel(t)
	if raceDetector {
		t.Skip("the race detector takes several times the memory")
	}
	up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(dns.RcodeServerFailure, true)})
	p := start(t, []string{"ede {\n page 127.0.0.1:0\n diagnose\n }", "cache", forward(up.Addr())}, environment("GOMEMLIMIT=112MiB"))
	how := confine(t, p)
	tr := p.try(t, "flood in 128 MiB")
	tallies := make(chan tally)
	for network, clients := range map[string]int{"udp": 64, "tcp": 64} {
		go func() {
			tallies <- load{addr: p.dns, network: network, clients: clients, during: span(time.Second, 30*time.Second)}.run()
		}()
	}
	all := (<-tallies).plus(<-tallies)
	tr.done(all, "limited by %s", how)
	if tr.row.peak.memory > limit {
		t.Errorf("%d octets at most, want %d", tr.row.peak.memory, limit)
	}
}

// confine puts p into a memory control group, of version 1 or 2, if one can be
// made here, and returns what limits the process.
func confine(t *testing.T, p *process) string {
	t.Helper()
	const alone = "GOMEMLIMIT alone (no control group can be made here)"
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return alone
	}
	for _, line := range strings.Split(string(groups), "\n") {
		fields := strings.SplitN(line, ":", 3)
		if len(fields) < 3 {
			continue
		}
		root, file := "", ""
		switch fields[1] {
		case "memory":
			root, file = "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
		case "":
			root, file = "/sys/fs/cgroup", "memory.max"
		default:
			continue
		}
		dir := filepath.Join(root, fields[2], fmt.Sprintf("ede-faults-%d", p.command.Process.Pid))
		if os.Mkdir(dir, 0o755) != nil {
			continue
		}
		t.Cleanup(func() { <-p.exited; _ = os.Remove(dir) })
		if write(dir, file, limit) == nil && write(dir, "cgroup.procs", p.command.Process.Pid) == nil {
			// Registered last, so that the process has ended when dir goes.
			t.Cleanup(func() { t.Helper(); p.stop(t) })
			return "GOMEMLIMIT and a control group"
		}
		_ = os.Remove(dir)
	}
	return alone
}

func write(dir, file string, n int) error {
	return os.WriteFile(filepath.Join(dir, file), []byte(fmt.Sprint(n)), 0o644)
}
