package leak

import (
	"fmt"
	"os"
	"os/signal"
	"testing"
)

// Run runs the tests of a package and returns its exit status: a failure, too,
// if in the end more goroutines live than in the beginning.
//
//	func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }
func Run(m *testing.M) int {
	// The first signal.Notify of a process starts a goroutine that never ends.
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt)
	signal.Stop(c)
	before := baseline()
	status := m.Run()
	if now := settle(before, patience); now > before {
		fmt.Fprintf(os.Stderr, "%d goroutines before the tests, %d after:\n%s", before, now, stacks())
		return max(status, 1)
	}
	return status
}
