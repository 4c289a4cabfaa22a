package explain

import (
	"fmt"
	"io"
	"strings"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// printer shows a finding.
type printer struct {
	out      io.Writer
	asJSON   bool
	colour   bool
	question dns.Question
	server   string
	// reply is what the first question brought; nil if nothing.
	reply *dns.Msg
	// hints are what to try where nothing was found.
	hints []string
}

// maxLine bounds what is printed of one step: it may quote what a server sent.
const maxLine = 400

func (p *printer) print(f diagnose.Finding) error {
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

// printText prints the verdict in one sentence, the way to it as a tree, and what
// to do.
func (p *printer) printText(f diagnose.Finding) {
	what := p.question.Name + " " + dns.Type(p.question.Qtype).String()
	text := option.Sanitize(f.Text, 2*maxLine)
	switch {
	case f.Outcome == diagnose.Resolves && f.Verdict != nil:
		p.verdict(warning, "%s %s at %s, but: %s", what, p.answer(), p.server, text)
	case f.Outcome == diagnose.Resolves:
		p.verdict(good, "%s %s at %s. %s", what, p.answer(), p.server, text)
	case f.Outcome == diagnose.Explained:
		p.verdict(bad, "%s fails at %s: %s", what, p.server, text)
	default:
		p.verdict(warning, "%s fails at %s, and the reason could not be found: %s", what, p.server, text)
	}
	advice := strings.Join(p.hints, " ")
	if v := f.Verdict; v != nil && f.Outcome != diagnose.Undecided {
		for _, code := range v.Codes() {
			fmt.Fprintf(p.out, "  EDE %d %s\n", code, option.Name(code))
		}
		fmt.Fprintf(p.out, "  cause %s, %s, to be fixed by: %s\n", v.Cause.ID, v.Lasts, v.Owner)
		advice = strings.TrimSpace(v.Advice)
	} else {
		if v != nil && len(f.Seen) > 0 {
			advice = strings.TrimSpace(v.Advice + " " + advice)
		}
		// It may be right where nothing could be found here.
		for _, o := range option.Read(p.reply) {
			said := strings.TrimSpace(fmt.Sprintf("%d %s: %s", o.Code, option.Name(o.Code), o.Text))
			fmt.Fprintf(p.out, "  %s itself says EDE %s\n", p.server, strings.TrimSuffix(said, ":"))
		}
	}
	if f.Disagrees != "" {
		fmt.Fprintf(p.out, "  %s\n", option.Sanitize(f.Disagrees, maxLine))
	}
	if len(f.Seen) > 0 {
		fmt.Fprint(p.out, "\nSuspects that were looked at first:\n")
		for _, s := range f.Seen {
			fmt.Fprintf(p.out, "  %s\n", s)
		}
	}
	if len(f.Steps) > 0 {
		fmt.Fprint(p.out, "\nStep by step:\n")
		p.tree(f.Steps)
	}
	if advice != "" && (f.Outcome != diagnose.Resolves || f.Verdict != nil) {
		fmt.Fprintf(p.out, "\nWhat to do: %s\n", advice)
	}
	fmt.Fprintf(p.out, "\n%d queries, %d ms\n", f.Queries, f.Elapsed.Milliseconds())
}

// answer tells the ways in which a question is answered.
func (p *printer) answer() string {
	switch {
	case p.reply == nil, p.reply.Rcode == dns.RcodeSuccess && len(p.reply.Answer) > 0:
		return "resolves"
	case p.reply.Rcode != dns.RcodeSuccess && p.reply.Rcode != dns.RcodeNameError:
		return "failed at first (" + dns.RcodeToString[p.reply.Rcode] + "), and is answered now"
	case p.reply.Rcode == dns.RcodeNameError:
		return "is answered NXDOMAIN"
	}
	return "is answered without records of the type"
}

// tree prints steps one a line, what was found of a zone below its parent.
func (p *printer) tree(steps []diagnose.Step) {
	before := ""
	for _, s := range steps {
		branch := ""
		if depth := dns.CountLabel(s.Zone); s.Zone != "" && depth > 0 {
			branch = strings.Repeat("   ", depth)
			if s.Zone != before {
				branch = branch[3:] + "└─ "
			}
		}
		before = s.Zone
		mark := p.paint(good, "ok")
		if !s.OK {
			mark = p.paint(bad, " !")
		}
		fmt.Fprintf(p.out, "  %s  %s%s\n", mark, branch, option.Sanitize(s.What, maxLine))
	}
}

// Colours of a terminal, SGR parameters.
const (
	good    = "32"
	warning = "33"
	bad     = "31"
)

func (p *printer) paint(colour, text string) string {
	if !p.colour {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

func (p *printer) verdict(colour, format string, args ...any) {
	fmt.Fprintln(p.out, p.paint(colour, fmt.Sprintf(format, args...)))
}
