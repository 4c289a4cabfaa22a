package chain

import (
	"regexp"
	"strings"

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
		re, err := compiled(text)
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
