// Ede is the operator's tool beside the CoreDNS plugin: it explains causes and
// checks Corefiles.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/causes"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/check"
)

func main() {
	root := &cobra.Command{
		Use:           "ede",
		Short:         "Explain failed DNS queries",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(causes.Command(), check.Command())
	if err := root.Execute(); err != nil {
		if !errors.Is(err, check.ErrFound) {
			fmt.Fprintln(os.Stderr, "ede:", err)
		}
		os.Exit(1)
	}
}
