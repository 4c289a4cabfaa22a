package chain

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	gotemplate "text/template"
	"text/template/parse"

	"github.com/miekg/dns"
)

// template is one template, of one type and class.
type template struct {
	qtype  uint16
	class  bool             // class IN, or ANY
	texts  []string         // of its patterns
	regex  []*regexp.Regexp // of texts, made when they are first asked
	expr   bool             // an expression decides as well
	broken bool             // CoreDNS does not start with it
	owners []owner          // of the records of answer, made when they are first asked
	read   bool             // owners are made
	shared *Shared
}

func prepareTemplate(l *Link) {
	t := &template{}
	l.template = t
	args := l.Args()
	if len(args) < 2 {
		t.broken = true
		return
	}
	qtype, ok := dns.StringToType[args[1]]
	t.qtype, t.broken = qtype, !ok
	t.class = args[0] == "IN" || args[0] == "ANY"
	l.Answers = t.class
	for _, line := range l.Lines[1:] {
		if len(line) == 0 {
			continue
		}
		switch line[0] {
		case "match":
			t.texts = append(t.texts, line[1:]...)
		case "expr":
			t.expr = true
		}
	}
}

func (t *template) compile() {
	for _, text := range t.texts[len(t.regex):] {
		re, err := t.shared.compiled(text)
		if err != nil {
			t.broken = true
			return
		}
		t.regex = append(t.regex, re)
	}
}

func (t *template) ofType(qtype uint16) bool { return t.qtype == dns.TypeANY || t.qtype == qtype }

func (t *template) matches(name string) bool {
	if len(t.texts) == 0 {
		return true
	}
	for _, re := range t.regex {
		if re.MatchString(name) {
			return true
		}
	}
	return false
}

func templateWants(l *Link, q Question) bool {
	return l.template.class && l.zones.has(q.Name) && l.template.ofType(q.Type)
}

// meetTemplate is plugin/template/template.go, ServeDNS and match.
func meetTemplate(c *Chain, i int, q *Question) step {
	l := &c.Links[i]
	t := l.template
	t.compile()
	switch {
	case t.broken:
		return maybe
	case !t.class || !l.zones.has(q.Name):
		return pass
	case !t.ofType(q.Type):
		return passType
	case !t.matches(q.Name):
		if l.fall.has(q.Name) {
			return passFall
		}
		return miss
	case t.expr:
		return maybe
	}
	return answer
}

// Matches reports whether a template has a match of its own.
func (l *Link) Matches() bool {
	return l.template != nil && (len(l.template.texts) > 0 || l.template.expr)
}

// around returns the zones in which a template has names that its patterns match, as
// far as the patterns tell.
func (t *template) around() (zones []string) {
	for _, text := range t.texts {
		re, err := parsed(text)
		if err != nil {
			continue
		}
		sample, _ := sampleOf(re)
		if _, zone, ok := strings.Cut(dns.Fqdn(sample), "."); ok && zone != "" {
			zones = append(zones, zone)
		}
	}
	return zones
}

// Backed reports whether l answers from data that is not in the Corefile.
func (l *Link) Backed() bool { return l.Answers && l.template == nil && l.Name != "hosts" }

// typeNamed reads a type as rewrite writes it.
func typeNamed(s string) uint16 { return dns.StringToType[strings.ToUpper(s)] }

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
