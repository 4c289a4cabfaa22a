package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
)

var cpuModel = regexp.MustCompile(`(?m)^model name\s*: (.+)$`)

// machine is what the figures were made on and with.
func machine(ctx context.Context, binary string) string {
	cpu := "unknown CPU"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if m := cpuModel.FindStringSubmatch(string(text)); m != nil {
			cpu = m[1]
		}
	}
	kernel := "unknown kernel"
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		kernel = strings.TrimSpace(string(text))
	}
	dnsperf := "dnsperf"
	// dnsperf tells its version to whoever asks for help, and fails then.
	out, _ := exec.CommandContext(ctx, "dnsperf", "-h").CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if version, ok := strings.CutPrefix(strings.TrimSpace(line), "Version "); ok {
			dnsperf += " " + version
		}
	}
	return fmt.Sprintf("%s, %d cores, Linux %s, %s, CoreDNS %s, %s.\n",
		cpu, runtime.NumCPU(), kernel, runtime.Version(), coreDNSVersion(binary), dnsperf)
}

// coreDNSVersion is that of the CoreDNS in binary.
func coreDNSVersion(binary string) string {
	info, err := buildinfo.ReadFile(binary)
	if err == nil {
		for _, m := range info.Deps {
			if m.Path == "github.com/coredns/coredns" {
				return strings.TrimPrefix(m.Version, "v")
			}
		}
	}
	return "unknown"
}
