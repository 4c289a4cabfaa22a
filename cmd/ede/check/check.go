// Package check reads a Corefile and prints the mistakes that it gives away.
package check

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/spf13/cobra"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight"
)

// ErrFound is returned when there are warnings, for the exit status.
var ErrFound = errors.New("the Corefile has mistakes")

// Command returns `ede check`.
func Command() *cobra.Command {
	var port string
	var markdown bool
	c := &cobra.Command{
		Use:   "check [COREFILE]",
		Short: "Print the mistakes that a Corefile gives away",
		Long: "Check reads a Corefile, by default ./Corefile, and prints one line for each mistake that its server blocks " +
			"give away by themselves. Nothing is started. The exit status is 1 if there are any, and 2 if the file cannot be " +
			"read. docs/checks.md has an example of each mistake.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if markdown {
				return Markdown(cmd.OutOrStdout())
			}
			file := "Corefile"
			if len(args) == 1 {
				file = args[0]
			}
			f, err := os.Open(file)
			if err != nil {
				return err
			}
			defer f.Close()
			order := Directives()
			blocks, err := preflight.Parse(file, f, order)
			if err != nil {
				return err
			}
			warnings := preflight.Host{Port: port, Addrs: net.InterfaceAddrs}.Check(blocks, order)
			for _, w := range warnings {
				fmt.Fprintln(cmd.OutOrStdout(), w)
				if len(w.Reports) > 0 {
					fmt.Fprintln(cmd.OutOrStdout(), "    as reported in", strings.Join(w.Reports, ", "))
				}
			}
			if len(warnings) > 0 {
				return ErrFound
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: no mistakes found in %s\n", file, counted(len(blocks)))
			return nil
		},
	}
	c.Flags().StringVar(&port, "dns.port", dnsserver.DefaultPort, "default port of the server, as CoreDNS's flag of that name")
	c.Flags().BoolVar(&markdown, "markdown", false, "print docs/checks.md")
	return c
}

// Directives are those of CoreDNS with ede in its place.
func Directives() []string {
	if slices.Contains(dnsserver.Directives, "ede") {
		return dnsserver.Directives
	}
	return slices.Insert(slices.Clone(dnsserver.Directives), slices.Index(dnsserver.Directives, "dnstap")+1, "ede")
}

func counted(blocks int) string {
	if blocks == 1 {
		return "1 server block"
	}
	return fmt.Sprintf("%d server blocks", blocks)
}
