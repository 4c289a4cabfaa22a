package chain

import (
	"context"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
	"github.com/miekg/dns"

	"github.com/coredns/coredns/plugin/pkg/expression"
	"github.com/coredns/coredns/request"
)

// A view is what its expressions are about.
type view struct {
	texts    []string      // of its expressions
	programs []*vm.Program // of texts, made when they are first asked
	shared   *Shared
	broken   bool     // CoreDNS does not start with it
	words    []string // of texts, without what is in quotes, each once
	typed    bool     // it looks at nothing but types
	types    []uint16 // that its expressions name
	asked    []ofType // what is known of its answers, if it looks at nothing but types
	networks []netip.Prefix
}

// ofType is whether a view takes questions of a type.
type ofType struct {
	qtype uint16
	lets  bool
}

var (
	quotedWord = regexp.MustCompile(`'[^']*'|"[^"]*"`)
	word       = regexp.MustCompile(`[A-Za-z_]\w*`)
)

// ofTypes are the words of expressions that look at nothing but types.
var ofTypes = []string{"type", "in", "not", "and", "or", "true", "false"}

// maxView is how long the expressions of a view may be to be looked at, in octets.
const maxView = 1 << 13

// prepareView is plugin/view/setup.go, parse.
func prepareView(l *Link) {
	v := &view{}
	size := 0
	for _, line := range l.Lines[min(1, len(l.Lines)):] {
		text := strings.Join(line[min(1, len(line)):], " ")
		bare := quotedWord.ReplaceAllString(text, "")
		if size += len(text); size > maxView || len(line) < 2 || line[0] != "expr" || strings.Contains(text, "\\") || strings.Contains(bare, "..") {
			return
		}
		v.texts = append(v.texts, text)
		v.words = append(v.words, word.FindAllString(bare, -1)...)
		for _, quoted := range quotedWord.FindAllString(text, -1) {
			quoted = quoted[1 : len(quoted)-1]
			v.types = append(v.types, dns.StringToType[quoted])
			if !strings.ContainsAny(quoted, ".:") { // as names of types
				continue
			}
			if network, err := netip.ParsePrefix(quoted); err == nil {
				v.networks = append(v.networks, network.Masked())
			} else if addr, err := netip.ParseAddr(quoted); err == nil {
				v.networks = append(v.networks, netip.PrefixFrom(addr, addr.BitLen()))
			}
		}
	}
	slices.Sort(v.words)
	v.words = slices.Compact(v.words)
	if len(v.texts) > 0 {
		v.typed = v.about("type") && v.onlyOf(ofTypes)
		l.view = v
	}
}

// about reports whether v looks at what an expression calls thing.
func (v *view) about(thing string) bool { return slices.Contains(v.words, thing) }

// onlyOf reports whether v has no other words than these.
func (v *view) onlyOf(words []string) bool {
	return !slices.ContainsFunc(v.words, func(w string) bool { return !slices.Contains(words, w) })
}

// Shared is what has been compiled of one Corefile, by text: many blocks may have the same.
type Shared struct {
	programs map[string]*vm.Program // of views; nil stands for one that CoreDNS does not take
	patterns map[string]*regexp.Regexp
}

// maxShared is how many of each are kept.
const maxShared = 1 << 12

// Share lets the plugins of c use what others have compiled.
func (c *Chain) Share(shared *Shared) {
	for i := range c.Links {
		switch l := &c.Links[i]; {
		case l.view != nil:
			l.view.shared = shared
		case l.rewrite != nil:
			l.rewrite.shared = shared
		case l.template != nil:
			l.template.shared = shared
		}
	}
}

// NewShared returns one in which nothing is yet.
func NewShared() *Shared {
	return &Shared{make(map[string]*vm.Program), make(map[string]*regexp.Regexp)}
}

// compiled is compiled for a pattern that may be shared.
func (s *Shared) compiled(pattern string) (*regexp.Regexp, error) {
	if s == nil {
		return compiled(pattern)
	}
	re := s.patterns[pattern]
	if re != nil {
		return re, nil
	}
	re, err := compiled(pattern)
	if err == nil && len(s.patterns) < maxShared {
		s.patterns[pattern] = re
	}
	return re, err
}

// program returns nil for an expression that CoreDNS does not take.
func (s *Shared) program(text string) *vm.Program {
	if s == nil {
		return program(text)
	}
	p, known := s.programs[text]
	if !known {
		if p = program(text); len(s.programs) < maxShared {
			s.programs[text] = p
		}
	}
	return p
}

func program(text string) *vm.Program {
	env := expression.DefaultEnv(context.Background(), &request.Request{Req: new(dns.Msg)})
	p, err := expr.Compile(text, expr.Env(env), expr.DisableBuiltin("type"))
	if err != nil {
		return nil
	}
	return p
}

func (v *view) compile() {
	for len(v.programs) < len(v.texts) && !v.broken {
		p := v.shared.program(v.texts[len(v.programs)])
		if v.broken = p == nil; !v.broken {
			v.programs = append(v.programs, p)
		}
	}
}

// Lets reports whether the view of l takes q (plugin/view/view.go, Filter).
// known is false if that depends on more than the type.
func (l *Link) Lets(q Question) (lets, known bool) {
	if l.view == nil || !l.view.typed {
		return false, false
	}
	if l.view.compile(); l.view.broken {
		return false, false
	}
	for _, a := range l.view.asked {
		if a.qtype == q.Type {
			return a.lets, true
		}
	}
	lets = l.view.accepts(typeAlone(q.Type))
	l.view.asked = append(l.view.asked, ofType{q.Type, lets})
	return lets, true
}

// typeAlone is what the words stand for of an expression that looks at nothing but types.
func typeAlone(qtype uint16) map[string]any {
	r := request.Request{Req: &dns.Msg{Question: []dns.Question{{Name: ".", Qtype: qtype, Qclass: dns.ClassINET}}}}
	return map[string]any{"type": r.Type}
}

// accepts is plugin/view/view.go, Filter, with what the words of expressions stand for.
func (v *view) accepts(env map[string]any) bool {
	for _, program := range v.programs {
		result, err := expr.Run(program, env)
		if yes, ok := result.(bool); err != nil || !ok || !yes {
			return false
		}
	}
	return true
}

// Told are the types that the view of l tells apart.
func (l *Link) Told() []uint16 {
	if l.view == nil || !l.view.typed {
		return nil
	}
	return l.view.types
}
