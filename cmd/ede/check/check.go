// Package check reads Corefiles, also out of Kubernetes manifests, and prints
// the mistakes that they reveal.
package check

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/spf13/cobra"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight"
)

// ErrFound is returned when there are warnings, for the exit status.
var ErrFound = errors.New("the Corefile has mistakes")

// options are the flags of `ede check`.
type options struct {
	port     string
	markdown bool
	json     bool
	ignore   []string
}

// Command returns `ede check`.
func Command() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "check [FILE...]",
		Short: "Print the mistakes that a Corefile reveals",
		Long: "Check reads Corefiles, by default ./Corefile, and prints the mistakes that show without running the " +
			"server. A FILE may also be a Kubernetes manifest with a Corefile in it, in YAML or JSON, and - is standard " +
			"input:\n\n    kubectl get configmap coredns -n kube-system -o yaml | ede check -\n\n" +
			"Nothing is started. The exit status is 1 if there are mistakes, and 2 if a file cannot be read or has no server block. docs/checks.md has " +
			"an example of each mistake.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.markdown {
				return Markdown(cmd.OutOrStdout())
			}
			if len(args) == 0 {
				args = []string{"Corefile"}
			}
			for _, code := range o.ignore {
				if !slices.Contains(Codes(), code) {
					return fmt.Errorf("--ignore %s: want one of %s", code, strings.Join(Codes(), ", "))
				}
			}
			return o.run(args, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	c.Flags().StringVar(&o.port, "dns.port", dnsserver.DefaultPort, "default port of the server, like CoreDNS's flag of that name")
	c.Flags().BoolVar(&o.markdown, "markdown", false, "print docs/checks.md")
	c.Flags().BoolVar(&o.json, "json", false, "print one JSON object")
	c.Flags().StringSliceVar(&o.ignore, "ignore", nil, "leave out the mistake with this `CODE`; may be repeated")
	return c
}

// run checks each of the files and prints what it finds.
func (o options) run(files []string, in io.Reader, out io.Writer) error {
	// What is read of a Corefile is held until the end: to collect garbage as often
	// as a server does costs a third of the time of a large one.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	var all []result
	var errs []error
	for _, file := range files {
		text, err := read(file, in)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		sources, err := sourcesOf(file, text)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, s := range sources {
			r, err := o.check(s)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			all = append(all, r)
		}
	}
	if err := o.print(out, all, errs); err != nil {
		return err
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if slices.ContainsFunc(all, func(r result) bool { return len(r.warnings) > 0 }) {
		return ErrFound
	}
	return nil
}

// read returns what file holds, "-" being standard input.
func read(file string, in io.Reader) ([]byte, error) {
	if file == "-" {
		return limited("standard input", in)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return limited(file, f)
}

// maxInput is the largest file in octets: a manifest may hold several Corefiles,
// and each twice.
const maxInput = 16 << 20

func limited(name string, r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if len(text) > maxInput {
		return nil, fmt.Errorf("%s: larger than %d octets", name, maxInput)
	}
	return text, nil
}

// A result is what was found in one Corefile.
type result struct {
	name     string
	blocks   int
	warnings []preflight.Warning
	external []preflight.Directive
}

// check judges one Corefile.
func (o options) check(s source) (result, error) {
	if len(s.custom) > 0 {
		return o.judgeCustom(s)
	}
	return o.judge(s)
}

// judge judges the text of one Corefile. What the machine has is looked at only if it may
// be the one that the Corefile is for.
func (o options) judge(s source) (result, error) {
	blocks, err := s.parse()
	if err != nil {
		return result{}, err
	}
	if len(blocks) == 0 {
		return result{}, fmt.Errorf("%s: no server block in it: want one, for example for the zone `.` with the line `forward . ADDRESS`; "+
			"without any, CoreDNS answers all names with its default, the plugin whoami", s.at())
	}
	order := Directives()
	host := preflight.Host{Port: o.port}
	if s.here {
		host.Addrs, host.ReadFile, host.ZoneFiles = net.InterfaceAddrs, preflight.ReadFile, preflight.ZoneFiles
	}
	r := result{name: s.name, blocks: len(blocks), external: preflight.External(blocks, order)}
	for _, w := range append(host.Check(blocks, order), own(blocks, s.here)...) {
		if !w.Ignored && !slices.Contains(o.ignore, w.Code) {
			r.warnings = append(r.warnings, w)
		}
	}
	slices.SortStableFunc(r.warnings, func(a, b preflight.Warning) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return r, nil
}

// Directives are those of CoreDNS with ede in its place.
func Directives() []string {
	if slices.Contains(dnsserver.Directives, "ede") {
		return dnsserver.Directives
	}
	return slices.Insert(slices.Clone(dnsserver.Directives), slices.Index(dnsserver.Directives, "dnstap")+1, "ede")
}
