// Ede is the operator's tool that comes with the CoreDNS plugin: it finds out why a name
// fails, sums up logs, checks Corefiles and explains causes.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/causes"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/check"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/explain"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/report"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/sums"
	"github.com/seed-1b7246af/coredns-ede/plugin/instance"
)

func command() *cobra.Command {
	version, commit := instance.Version()
	root := &cobra.Command{
		Use:           "ede",
		Short:         "Explain failed DNS queries",
		Version:       version + " (" + commit + ")",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(explain.Command(), report.Command(report.Catalog), causes.Command(), check.Command(), sums.Command())
	return root
}

func main() {
	err := command().Execute()
	if err == nil {
		return
	}
	status, silent := statusOf(err)
	if !silent {
		fmt.Fprintln(os.Stderr, "ede:", printable(err.Error()))
	}
	os.Exit(status)
}

// printable is text without what a terminal may act on: an error may quote a file.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}

// statusOf returns the exit status for err, and whether its text adds nothing
// to what was printed.
func statusOf(err error) (status int, silent bool) {
	switch {
	case errors.Is(err, check.ErrFound), errors.Is(err, explain.ErrExplained):
		return 1, true
	case errors.Is(err, explain.ErrUndecided):
		return 3, true
	}
	return 2, false
}
