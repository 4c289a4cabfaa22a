package chain

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
	"github.com/miekg/dns"

	"github.com/coredns/coredns/plugin/pkg/expression"
	"github.com/coredns/coredns/request"
)

// A view decides by the types of questions alone, so that it can be told from
// the Corefile what comes through it.
type view struct {
	texts    []string      // of its expressions
	programs []*vm.Program // of texts, made when they are first asked
	broken   bool          // CoreDNS does not start with it
	types    []uint16      // that its expressions name
}

var (
	quotedWord = regexp.MustCompile(`'[^']*'|"[^"]*"`)
	word       = regexp.MustCompile(`[A-Za-z_]\w*`)
)

// ofTypes are the words of expressions that look at nothing but types.
var ofTypes = []string{"type", "in", "not", "and", "or", "true", "false"}

// prepareView is plugin/view/setup.go, parse. Where an expression looks at more
// than the type, l has no view.
func prepareView(l *Link) {
	v := &view{}
	for _, line := range l.Lines[min(1, len(l.Lines)):] {
		if len(line) < 2 || line[0] != "expr" {
			return
		}
		text := strings.Join(line[1:], " ")
		words := word.FindAllString(quotedWord.ReplaceAllString(text, ""), -1)
		if !slices.Contains(words, "type") || slices.ContainsFunc(words, func(w string) bool { return !slices.Contains(ofTypes, w) }) {
			return
		}
		v.texts = append(v.texts, text)
		for _, quoted := range quotedWord.FindAllString(text, -1) {
			v.types = append(v.types, dns.StringToType[strings.Trim(quoted, `'"`)])
		}
	}
	if len(v.texts) > 0 {
		l.view = v
	}
}

func (v *view) compile() {
	env := expression.DefaultEnv(context.Background(), &request.Request{Req: new(dns.Msg)})
	for _, text := range v.texts[len(v.programs):] {
		program, err := expr.Compile(text, expr.Env(env), expr.DisableBuiltin("type"))
		if err != nil {
			v.broken = true
			return
		}
		v.programs = append(v.programs, program)
	}
}

// Lets reports whether the view of l takes q (plugin/view/view.go, Filter).
// known is false if that depends on more than the type.
func (l *Link) Lets(q Question) (lets, known bool) {
	if l.view == nil {
		return false, false
	}
	if l.view.compile(); l.view.broken {
		return false, false
	}
	r := new(dns.Msg).SetQuestion(q.Name, q.Type)
	env := expression.DefaultEnv(context.Background(), &request.Request{Req: r})
	for _, program := range l.view.programs {
		result, err := expr.Run(program, env)
		if yes, ok := result.(bool); err != nil || !ok || !yes {
			return false, true
		}
	}
	return true, true
}

// Told are the types that the view of l tells apart.
func (l *Link) Told() []uint16 {
	if l.view == nil {
		return nil
	}
	return l.view.types
}
