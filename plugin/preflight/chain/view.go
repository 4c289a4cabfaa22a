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
	shared   Programs      // of all views of the Corefile
	broken   bool          // CoreDNS does not start with it
	words    []string      // of texts, without what is in quotes, each once
	typed    bool          // it looks at nothing but types
	types    []uint16      // that its expressions name
	asked    []ofType      // what is known of its answers, if it looks at nothing but types
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

// Programs are the expressions of the views of one Corefile that have been compiled, by
// text; nil stands for one that CoreDNS does not take. Many blocks may have the same one.
type Programs map[string]*vm.Program

// maxPrograms is how many are kept.
const maxPrograms = 1 << 12

// Share lets the views of c use what others have compiled.
func (c *Chain) Share(programs Programs) {
	for i := range c.Links {
		if v := c.Links[i].view; v != nil {
			v.shared = programs
		}
	}
}

func (v *view) compile() {
	for len(v.programs) < len(v.texts) && !v.broken {
		text := v.texts[len(v.programs)]
		program, known := v.shared[text]
		if !known {
			env := expression.DefaultEnv(context.Background(), &request.Request{Req: new(dns.Msg)})
			var err error
			if program, err = expr.Compile(text, expr.Env(env), expr.DisableBuiltin("type")); err != nil {
				program = nil
			}
			if v.shared != nil && len(v.shared) < maxPrograms {
				v.shared[text] = program
			}
		}
		if v.broken = program == nil; !v.broken {
			v.programs = append(v.programs, program)
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
	r := new(dns.Msg).SetQuestion(q.Name, q.Type)
	env := expression.DefaultEnv(context.Background(), &request.Request{Req: r})
	lets = l.view.accepts(env)
	l.view.asked = append(l.view.asked, ofType{q.Type, lets})
	return lets, true
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
