package observe

import (
	"fmt"
	"path"
	"runtime"
	"strings"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// Panicked returns the evidence of a run whose chain panicked with v. It is to be called
// by the deferred function that recovered v, while the stack is still that of the panic.
func (run *Run) Panicked(v any) *evidence.Evidence {
	place := run.reached.Load()
	run.finish()
	// The chain did not return: the query is still in the plugin that panicked.
	run.whole = place > 0 && place < stopped
	e := run.Evidence(evidence.Panicked, dns.RcodeServerFailure, nil)
	if run.whole {
		e.At = run.tapAt(uint8(place)).name
	}
	e.Panic, e.PanicAt = option.Sanitize(fmt.Sprint(v), option.MaxText), panicPlace()
	return e
}

// maxFrames is how many frames are looked at for the place of a panic.
const maxFrames = 64

// panicPlace is the package that panicked, with the file and the line, such as
// "plugin/firewall firewall.go:88"; empty if it is not found.
func panicPlace() string {
	pcs := make([]uintptr, maxFrames)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	panicking := false
	for {
		frame, more := frames.Next()
		inRuntime := strings.HasPrefix(frame.Function, "runtime.")
		switch {
		case strings.HasPrefix(frame.Function, "runtime.gopanic"):
			panicking = true
		case panicking && !inRuntime && frame.Function != "":
			return fmt.Sprintf("%s %s:%d", packageOf(frame.Function), path.Base(frame.File), frame.Line)
		}
		if !more {
			return ""
		}
	}
}

// packageOf is the package of a function, from the folder plugin on, if it is in one.
func packageOf(function string) string {
	folder, name := path.Split(function)
	name, _, _ = strings.Cut(name, ".")
	if i := strings.LastIndex(folder+name, "plugin/"); i >= 0 {
		return (folder + name)[i:]
	}
	return name
}
