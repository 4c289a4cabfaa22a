package explain

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// printer shows a finding, and each step while it is made.
type printer struct {
	out, progress io.Writer
	asJSON        bool
	question      dns.Question
	server        string
}

// Bounds of what is printed of a finding and of one step: they may quote what a
// server sent.
const (
	maxSentence = 1000
	maxLine     = 400
)

func (p *printer) step(s diagnose.Step) {
	fmt.Fprintf(p.progress, "%s %s\n", mark(s.OK), option.Sanitize(s.What, maxLine))
}

func mark(ok bool) string {
	if ok {
		return "ok "
	}
	return " ! "
}

// result is the JSON form.
type result struct {
	Name         string   `json:"name"`
	Type         string   `json:"type"`
	Server       string   `json:"server"`
	Outcome      string   `json:"outcome"`
	Cause        string   `json:"cause,omitempty"`
	Codes        []uint16 `json:"ede,omitempty"`
	Zone         string   `json:"zone,omitempty"`
	Owner        string   `json:"owner,omitempty"`
	Text         string   `json:"text"`
	Advice       string   `json:"advice,omitempty"`
	Steps        []step   `json:"steps"`
	Queries      int      `json:"queries"`
	Milliseconds int64    `json:"duration_ms"`
}

type step struct {
	Zone string `json:"zone,omitempty"`
	What string `json:"what"`
	OK   bool   `json:"ok"`
}

func (p *printer) print(f diagnose.Finding) error {
	f.Text = option.Sanitize(f.Text, maxSentence)
	if p.asJSON {
		if err := p.printJSON(f); err != nil {
			return err
		}
	} else {
		p.printText(f)
	}
	switch f.Outcome {
	case diagnose.Resolves:
		return nil
	case diagnose.Explained:
		return ErrExplained
	}
	return ErrUndecided
}

func (p *printer) printJSON(f diagnose.Finding) error {
	r := result{
		Name: p.question.Name, Type: dns.Type(p.question.Qtype).String(), Server: p.server,
		Outcome: f.Outcome.String(), Zone: f.Zone, Text: f.Text, Queries: f.Queries, Milliseconds: f.Elapsed.Milliseconds(),
		Steps: []step{},
	}
	if v := f.Verdict; v != nil {
		r.Cause, r.Codes, r.Owner, r.Advice = v.Cause.ID, v.Codes(), string(v.Owner), strings.TrimSpace(v.Advice)
	}
	for _, s := range f.Steps {
		r.Steps = append(r.Steps, step{s.Zone, option.Sanitize(s.What, maxLine), s.OK})
	}
	e := json.NewEncoder(p.out)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// printText prints the verdict in one sentence, then the way to it, as a tree:
// each zone hangs below its parent.
func (p *printer) printText(f diagnose.Finding) {
	name := p.question.Name + " " + dns.Type(p.question.Qtype).String()
	switch {
	case f.Outcome == diagnose.Resolves && f.Verdict != nil:
		fmt.Fprintf(p.out, "\n%s resolves at %s, but: %s\n", name, p.server, f.Text)
	case f.Outcome == diagnose.Resolves:
		fmt.Fprintf(p.out, "\n%s resolves at %s (%s)\n", name, p.server, f.Text)
	case f.Outcome == diagnose.Explained:
		fmt.Fprintf(p.out, "\n%s fails at %s: %s\n", name, p.server, f.Text)
	default:
		fmt.Fprintf(p.out, "\n%s fails at %s, and it could not be found out why: %s\n", name, p.server, f.Text)
	}
	if v := f.Verdict; v != nil {
		for _, code := range v.Codes() {
			fmt.Fprintf(p.out, "  EDE %d %s\n", code, option.Name(code))
		}
		fmt.Fprintf(p.out, "  cause %s, %s, to be mended by: %s\n", v.Cause.ID, v.Lasts, v.Owner)
	}
	fmt.Fprintln(p.out, "\nThe way there:")
	for _, s := range f.Steps {
		depth := 0
		if s.Zone != "" {
			depth = dns.CountLabel(s.Zone)
		}
		fmt.Fprintf(p.out, "  %s%s%s\n", mark(s.OK), strings.Repeat("  ", depth), option.Sanitize(s.What, maxLine))
	}
	if f.Verdict != nil && f.Verdict.Advice != "" {
		fmt.Fprintf(p.out, "\nWhat to do: %s\n", strings.TrimSpace(f.Verdict.Advice))
	}
	fmt.Fprintf(p.out, "\n%d queries, %d ms\n", f.Queries, f.Elapsed.Milliseconds())
}
