package check

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight"
)

// print writes what was found, for people or as JSON.
func (o options) print(w io.Writer, all []result, errs []error) error {
	if o.json {
		return printJSON(w, all, errs)
	}
	for _, r := range all {
		for _, d := range r.external {
			fmt.Fprintf(w, "%s:%d: note: %s is no plugin of CoreDNS; the check assumes that it answers everything that no plugin of CoreDNS answers\n",
				d.File, d.Line, preflight.Printable(d.Name))
		}
		if len(r.external) == preflight.MaxExternal {
			fmt.Fprintf(w, "%s: note: only the first %d plugins of others are shown\n", r.name, preflight.MaxExternal)
		}
		for _, found := range r.warnings {
			fmt.Fprintln(w, found)
			if len(found.Reports) > 0 {
				fmt.Fprintln(w, "    as reported in", strings.Join(found.Reports, ", "))
			}
		}
		if len(r.warnings) == preflight.MaxWarnings {
			fmt.Fprintf(w, "%s: only the first %d mistakes are shown\n", r.name, preflight.MaxWarnings)
		}
		if len(r.warnings) == 0 {
			fmt.Fprintf(w, "%s: no mistakes found in %s\n", r.name, counted(r.blocks))
		}
	}
	return nil
}

// A finding is one mistake in the JSON.
type finding struct {
	Code     string   `json:"code"`
	File     string   `json:"file"`
	Line     int      `json:"line"`
	Text     string   `json:"text"`
	Fix      string   `json:"fix"`
	Zones    []string `json:"zones,omitempty"`
	Names    []string `json:"names,omitempty"`
	Types    []string `json:"types,omitempty"`
	ButTypes []string `json:"all_types_but,omitempty"`
	Reports  []string `json:"reports,omitempty"`
}

// A plugin is one that CoreDNS does not have.
type plugin struct {
	Name string `json:"name"`
	File string `json:"file"`
	Line int    `json:"line"`
}

// printJSON writes what was found; errs are of what could not be read.
func printJSON(w io.Writer, all []result, errs []error) error {
	var out struct {
		Blocks   int       `json:"blocks"`
		Mistakes []finding `json:"mistakes"`
		External []plugin  `json:"external_plugins"`
		Errors   []string  `json:"errors"`
	}
	out.Mistakes, out.External, out.Errors = []finding{}, []plugin{}, []string{}
	for _, err := range errs {
		out.Errors = append(out.Errors, err.Error())
	}
	for _, r := range all {
		out.Blocks += r.blocks
		for _, f := range r.warnings {
			out.Mistakes = append(out.Mistakes, finding{
				Code: f.Code, File: f.File, Line: f.Line, Text: f.Text, Fix: f.Fix,
				Zones: f.Zones, Names: f.Names, Types: f.Types, ButTypes: f.ButTypes, Reports: f.Reports,
			})
		}
		for _, d := range r.external {
			out.External = append(out.External, plugin{d.Name, d.File, d.Line})
		}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

func counted(blocks int) string {
	if blocks == 1 {
		return "1 server block"
	}
	return fmt.Sprintf("%d server blocks", blocks)
}
