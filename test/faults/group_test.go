//go:build linux

package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// controller limits what a control group may take, of version 1 or 2.
type controller struct {
	// first is its name in version 1, firstFile and secondFile take the limit.
	first, firstFile, secondFile string
	// word is how version 2 has the limit written.
	word string
	// unlimited is no limit, in version 1 and 2.
	unlimited [2]string
}

var (
	// octets limits the memory.
	octets = controller{"memory", "memory.limit_in_bytes", "memory.max", "%d", [2]string{"-1", "max"}}
	// processor limits the microseconds of processor time in each tenth of a second.
	processor = controller{"cpu", "cpu.cfs_quota_us", "cpu.max", "%d 100000", [2]string{"-1", "max"}}
)

// group is a control group with one process.
type group struct{ file, unlimited string }

// confine puts p into a control group with this limit, if one can be made here; else
// it returns nil.
func confine(t *testing.T, p *process, c controller, limit int) *group {
	t.Helper()
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil
	}
	for _, line := range strings.Split(string(groups), "\n") {
		fields := strings.SplitN(line, ":", 3)
		if len(fields) < 3 {
			continue
		}
		root, file, text, unlimited := "", "", "", ""
		switch fields[1] {
		case c.first:
			root, file, text, unlimited = "/sys/fs/cgroup/"+c.first, c.firstFile, fmt.Sprint(limit), c.unlimited[0]
		case "":
			root, file, text, unlimited = "/sys/fs/cgroup", c.secondFile, fmt.Sprintf(c.word, limit), c.unlimited[1]
		default:
			continue
		}
		dir := filepath.Join(root, fields[2], fmt.Sprintf("ede-faults-%d", p.command.Process.Pid))
		if os.Mkdir(dir, 0o755) != nil {
			continue
		}
		t.Cleanup(func() { <-p.exited; _ = os.Remove(dir) })
		if limitTo(dir, file, text) == nil && limitTo(dir, "cgroup.procs", fmt.Sprint(p.command.Process.Pid)) == nil {
			// Registered last, so that the process has ended when dir goes.
			t.Cleanup(func() { t.Helper(); p.stop(t) })
			return &group{file: filepath.Join(dir, file), unlimited: unlimited}
		}
		_ = os.Remove(dir)
	}
	return nil
}

// lift takes the limit away.
func (g *group) lift(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(g.file, []byte(g.unlimited), 0o644); err != nil {
		t.Fatal(err)
	}
}

func limitTo(dir, file, text string) error {
	return os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644)
}
