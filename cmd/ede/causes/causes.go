// Package causes prints the catalog of causes, for the terminal and as the
// project's docs/causes.md.
package causes

import (
	"cmp"
	"embed"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
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
		Use:   "causes [CAUSE | INFO-CODE]",
		Short: "Explain the causes of SERVFAIL and REFUSED",
		Long: "Causes prints the catalog of causes, or the whole entry of one, as ede names them in logs and metrics. " +
			"With an INFO-CODE, the number that dig shows, it prints the causes that carry it.",
		Args: cobra.MaximumNArgs(1),
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
			if err := line(w, c); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintln(w, "\nede causes CAUSE tells more about one.")
	return err
}

func line(w io.Writer, c *cause.Cause) error {
	code := fmt.Sprint(c.Code)
	if c.Code == 0 && c.CodeNote != "" {
		code = "-"
	}
	_, err := fmt.Fprintf(w, "  %-32s %2s  %-10s  %s\n", c.ID, code, c.Lasts, c.Title)
	return err
}

// carrying prints the causes that carry code, and what else may.
func carrying(w io.Writer, code uint16) error {
	fmt.Fprintf(w, "%d %s\n", code, option.Name(code))
	for _, c := range cause.All() {
		if c.Code != code || code == 0 && c.CodeNote != "" {
			continue
		}
		if err := line(w, c); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w, "\nA text that begins with \"from\" is a statement of the upstream named there: upstream_ede.")
	return err
}

// near are the causes with a word in common with id, the most alike first.
func near(id string) []string {
	id = strings.ToLower(id)
	words := strings.Split(id, "_")
	common := make(map[string]int)
	for _, c := range cause.All() {
		for word := range strings.SplitSeq(c.ID, "_") {
			if slices.Contains(words, word) {
				common[c.ID]++
			}
		}
	}
	ids := slices.SortedFunc(maps.Keys(common), func(a, b string) int {
		return cmp.Or(cmp.Compare(common[b], common[a]), cmp.Compare(alike(b, id), alike(a, id)), cmp.Compare(a, b))
	})
	return ids[:min(len(ids), maxNear)]
}

// alike is how many octets a and b begin alike with.
func alike(a, b string) (n int) {
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// maxNear is how many causes are offered for one that does not exist.
const maxNear = 8

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
	if code, err := strconv.ParseUint(id, 10, 16); err == nil {
		return carrying(w, uint16(code))
	}
	c := cause.ByID(id)
	if c == nil {
		err := fmt.Errorf("unknown cause %q: `ede causes` lists them", id)
		if ids := near(id); len(ids) > 0 {
			err = fmt.Errorf("%w; near it are %s", err, strings.Join(ids, ", "))
		}
		return err
	}
	fmt.Fprintf(w, "%s\n\n%s\n\n", c.ID, c.Title)
	fmt.Fprintf(w, "INFO-CODE  %s\nlasts      %s\nowner      %s\n\n", codes(c), c.Lasts, c.Owner)
	fmt.Fprintf(w, "When: %s\n\nWhat to do: %s\n", c.When, strings.TrimSpace(c.Advice))
	fmt.Fprintf(w, "\n%s", indent(cmp.Or(c.Corefile, c.Command)))
	fmt.Fprintf(w, "\nAs seen:\n\n%s", indent(example(id)))
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
