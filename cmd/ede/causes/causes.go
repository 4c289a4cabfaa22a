// Package causes prints the catalog of causes, for the terminal and as the
// project's docs/causes.md.
package causes

import (
	"embed"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// examples are dig output and log lines, each taken from a run of the server.
//
//go:embed examples/*.txt
var examples embed.FS

// Command returns `ede causes`.
func Command() *cobra.Command {
	var markdown bool
	c := &cobra.Command{
		Use:   "causes [CAUSE]",
		Short: "Explain the causes of SERVFAIL and REFUSED",
		Long:  "Causes prints the catalog of causes, or the whole entry of one, as ede names them in logs and metrics.",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case markdown:
				return Markdown(cmd.OutOrStdout())
			case len(args) == 1:
				return one(cmd.OutOrStdout(), args[0])
			}
			return list(cmd.OutOrStdout())
		},
	}
	c.Flags().BoolVar(&markdown, "markdown", false, "print docs/causes.md")
	return c
}

// list prints a line for each cause.
func list(w io.Writer) error {
	for _, g := range cause.Groups {
		if _, err := fmt.Fprintf(w, "%s\n", g.Title); err != nil {
			return err
		}
		for _, c := range g.Causes {
			if _, err := fmt.Fprintf(w, "  %-32s %2d  %-10s  %s\n", c.ID, c.Code, c.Lasts, c.Title); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintln(w, "\nede causes CAUSE tells more about one.")
	return err
}

func one(w io.Writer, id string) error {
	c := cause.ByID(id)
	if c == nil {
		return fmt.Errorf("unknown cause %q: `ede causes` lists them", id)
	}
	fmt.Fprintf(w, "%s\n\n%s\n\n", c.ID, c.Title)
	fmt.Fprintf(w, "INFO-CODE  %d %s\nlasts      %s\nowner      %s\n\n", c.Code, option.Name(c.Code), c.Lasts, c.Owner)
	fmt.Fprintf(w, "When: %s\n\nWhat to do: %s\n", c.When, strings.TrimSpace(c.Advice))
	if c.Help != "" {
		fmt.Fprintf(w, "\n    %s\n", c.Help)
	}
	if e := example(id); e != "" {
		fmt.Fprintf(w, "\nAs seen:\n\n%s", indent(e))
	}
	return nil
}

func example(id string) string {
	b, err := examples.ReadFile("examples/" + id + ".txt")
	if err != nil {
		return ""
	}
	return string(b)
}

func indent(s string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n    ") + "\n"
}
