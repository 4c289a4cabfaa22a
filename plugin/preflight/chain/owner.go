package chain

import (
	"slices"
	"strconv"
	"strings"
	gotemplate "text/template"
	"text/template/parse"

	"github.com/miekg/dns"
)

// An owner is what a template writes before the first space of a record. The program is
// nil if that may depend on more than the name, or on what takes long to work out.
type owner struct{ program *gotemplate.Template }

// A subject is what the program of an owner may speak of (plugin/template/template.go,
// templateData).
type subject struct {
	Name, Zone, Type, Class string
	Match                   []string
	Group                   map[string]string
	Question                *dns.Question
}

// readOwner reads one argument of template's answer.
func readOwner(text string) owner {
	t, err := gotemplate.New("").Funcs(gotemplate.FuncMap{"parseInt": strconv.ParseUint}).Parse(text)
	if err != nil || t.Tree == nil {
		return owner{}
	}
	for i, node := range t.Root.Nodes {
		switch node := node.(type) {
		case *parse.TextNode:
			before, _, found := strings.Cut(strings.ReplaceAll(string(node.Text), "\t", " "), " ")
			if found {
				node.Text = []byte(before)
				t.Root.Nodes = t.Root.Nodes[:i+1]
				return owner{t}
			}
		case *parse.ActionNode:
			if !simple(node.Pipe) {
				return owner{}
			}
		case *parse.CommentNode:
		default:
			return owner{}
		}
	}
	return owner{}
}

// simple reports whether a pipeline has nothing but values and functions that make little
// of them.
func simple(pipe *parse.PipeNode) bool {
	for _, command := range pipe.Cmds {
		for _, arg := range command.Args {
			switch arg := arg.(type) {
			case *parse.IdentifierNode:
				if !slices.Contains([]string{"index", "slice", "print", "len"}, arg.Ident) {
					return false
				}
			case *parse.PipeNode:
				if !simple(arg) {
					return false
				}
			case *parse.TemplateNode, *parse.ChainNode:
				return false
			}
		}
	}
	return true
}

// of returns the owner of the record in the answer to q, "" if that cannot be told.
func (o owner) of(l *Link, q Question) string {
	if o.program == nil {
		return ""
	}
	s := subject{
		Name: q.Name, Zone: l.zones.match(q.Name), Type: dns.TypeToString[q.Type], Class: "IN",
		Match: []string{q.Name}, Group: make(map[string]string),
		Question: &dns.Question{Name: q.Name, Qtype: q.Type, Qclass: dns.ClassINET},
	}
	for _, re := range l.template.regex {
		if groups := re.FindStringSubmatch(q.Name); groups != nil {
			s.Match = groups
			for i, name := range re.SubexpNames() {
				s.Group[strconv.Itoa(i)], s.Group[name] = groups[i], groups[i]
			}
			break
		}
	}
	var b strings.Builder
	if o.program.Execute(&b, s) != nil || b.Len() == 0 {
		return ""
	}
	return strings.ToLower(dns.Fqdn(b.String()))
}

// writes reports whether a template answers q with records of its name, and none of from.
func (l *Link) writes(q Question, from string) bool {
	if rcode, _ := l.Option("rcode"); slices.Equal(rcode, []string{"SERVFAIL"}) {
		return false
	}
	t := l.template
	for _, line := range l.Lines[min(1, len(l.Lines)):] {
		if t.read || len(line) == 0 || line[0] != "answer" {
			continue
		}
		for _, text := range line[1:] {
			t.owners = append(t.owners, readOwner(text))
		}
	}
	t.read = true
	same := false
	for _, o := range t.owners {
		switch name := o.of(l, q); name {
		case "", from:
			return false
		case q.Name:
			same = true
		}
	}
	return same
}
