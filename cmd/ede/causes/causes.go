// Package causes prints the catalog of causes, for the terminal and as the
// project's docs/causes.md.
package causes

import (
	"cmp"
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

// untaken are the causes that no test takes an example of, and why.
var untaken = map[string]string{
	"plugin_ede":                   "it takes a plugin that CoreDNS does not ship",
	"remote_unreachable":           "it takes a plugin that CoreDNS does not ship",
	"unknown":                      "it takes a plugin that CoreDNS does not ship",
	"dnssec_unsupported_algorithm": "a resolver takes such a zone for unsigned, so that its names resolve; ede explain tells",
	"dnssec_unsupported_digest":    "a resolver takes such a zone for unsigned, so that its names resolve; ede explain tells",
	"dnssec_nsec3_iterations":      "a resolver takes such a zone for unsigned, so that its names resolve; ede explain tells",
	"dnssec_indeterminate":         "it takes a resolver that says so",
	"serial_mismatch":              "it takes an upstream that asks a name server which lags behind",
}

// codes says in words which INFO-CODEs an answer with the cause c carries.
func codes(c *cause.Cause) string {
	if c.CodeNote != "" {
		return c.CodeNote
	}
	return fmt.Sprintf("%d %s", c.Code, option.Name(c.Code))
}

// list prints the two rcodes side by side, and a line for each cause.
func list(w io.Writer) error {
	opening(w)
	for _, g := range cause.Groups {
		if _, err := fmt.Fprintf(w, "%s\n", g.Title); err != nil {
			return err
		}
		for _, c := range g.Causes {
			code := fmt.Sprint(c.Code)
			if c.Code == 0 && c.CodeNote != "" {
				code = "-"
			}
			if _, err := fmt.Fprintf(w, "  %-32s %2s  %-10s  %s\n", c.ID, code, c.Lasts, c.Title); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintln(w, "\nede causes CAUSE tells more about one.")
	return err
}

// opening prints what the document begins with.
func opening(w io.Writer) {
	for i, rcode := range []string{"SERVFAIL", "REFUSED"} {
		fmt.Fprintln(w, rcode)
		for _, s := range sides {
			fmt.Fprintf(w, "  %-18s %s\n", s.Question, [...]string{s.Servfail, s.Refused}[i])
		}
		fmt.Fprintln(w, "  What to try first")
		for n, s := range [...][]step{servfailSteps, refusedSteps}[i] {
			fmt.Fprintf(w, "    %d. %s\n       %s\n", n+1, s.Try, s.Command)
		}
	}
	fmt.Fprintln(w, "Elsewhere, and in CoreDNS")
	for _, c := range counterparts {
		fmt.Fprintf(w, "  %-18s %s\n", c.Elsewhere, c.Here)
	}
	fmt.Fprintln(w)
}

func one(w io.Writer, id string) error {
	c := cause.ByID(id)
	if c == nil {
		return fmt.Errorf("unknown cause %q: `ede causes` lists them", id)
	}
	fmt.Fprintf(w, "%s\n\n%s\n\n", c.ID, c.Title)
	fmt.Fprintf(w, "INFO-CODE  %s\nlasts      %s\nowner      %s\n\n", codes(c), c.Lasts, c.Owner)
	fmt.Fprintf(w, "When: %s\n\nWhat to do: %s\n", c.When, strings.TrimSpace(c.Advice))
	fmt.Fprintf(w, "\n%s", indent(cmp.Or(c.Corefile, c.Command)))
	if e := example(id); e != "" {
		fmt.Fprintf(w, "\nAs seen:\n\n%s", indent(e))
	} else {
		fmt.Fprintf(w, "\nNo example: %s.\n", untaken[id])
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
