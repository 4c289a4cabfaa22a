package cause

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// Words is how much a client is told.
type Words uint8

const (
	// NoWords: codes only. 0 Other Error keeps its brief text (RFC 8914
	// section 4.1).
	NoWords Words = iota
	// BriefWords: what happened, without addresses, plugin names or errors of
	// this server.
	BriefWords
	// FullWords: all that the log has.
	FullWords
)

func (w Words) String() string { return [...]string{"none", "brief", "full"}[w] }

// Options returns the EDE options of v for a client that may read words.
// Without keepUpstream what an upstream said is left out, and the cause's own
// code stands for it. small asks for small answers: a refusal by this server's
// own policy then carries no text below FullWords. The caller must not change the
// options.
func (v *Verdict) Options(words Words, keepUpstream, small bool) []option.Option {
	if v.Cause == panicked {
		return nil
	}
	if words == BriefWords && small && v.Cause.Policy {
		words = NoWords
	}
	if !v.Shared() {
		return v.options(words, keepUpstream)
	}
	w := &v.shared.forms[words]
	if !keepUpstream {
		w = &v.shared.forms[words+FullWords+1]
	}
	opts := w.Load()
	if opts == nil {
		worded := v.options(words, keepUpstream)
		opts = &worded
		w.Store(opts)
	}
	return *opts
}

// shared is what is worked out once of a verdict that stands for many failures.
type shared struct {
	// of is the first of the statements that it is about: a copy of the
	// verdict that says something else has others.
	of *Statement
	// forms are the options, by what the client may read, with and without what
	// an upstream said. They are not to be changed.
	forms [2 * (FullWords + 1)]atomic.Pointer[[]option.Option]
	// cached is the last one for failures from cache, see FromMemory.
	cached atomic.Pointer[fromMemory]
}

type fromMemory struct {
	found   int64 // Unix time
	verdict *Verdict
}

// Shared reports whether v is given to many failures as it is. It is then not to be changed.
func (v *Verdict) Shared() bool {
	return v.shared != nil && len(v.Statements) > 0 && v.shared.of == &v.Statements[0]
}

func (v *Verdict) options(words Words, keepUpstream bool) []option.Option {
	var room [option.MaxOptions]option.Option
	opts := room[:0]
	for i, s := range telling(v.said(keepUpstream)) {
		text := s.text(words)
		if i == 0 && (text != "" || words > NoWords) {
			text = v.dated(text, option.MaxText)
		}
		opts = append(opts, option.Option{Code: s.Code, Text: text, Source: s.Source})
	}
	if len(opts) == 0 {
		opts = append(opts, option.Option{Code: v.Cause.Code, Text: v.dated("the upstream gave a reason", option.MaxText)})
	}
	return option.Arrange(opts)
}

// said are the statements of v without those of an upstream, unless they are to be
// kept.
func (v *Verdict) said(keepUpstream bool) []Statement {
	if keepUpstream {
		return v.Statements
	}
	return slices.DeleteFunc(slices.Clone(v.Statements), func(s Statement) bool { return s.FromUpstream })
}

func (s Statement) text(words Words) string {
	switch {
	case words == FullWords:
		return s.Full
	case words == BriefWords, s.Verbatim, s.Code == otherError:
		return s.Brief
	}
	return ""
}

// seconds prints d as a person would: "2.0 s", "0.04 s".
func seconds(d time.Duration) string {
	if d >= time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.2g s", d.Seconds())
}

func withoutEDNS(e *ev.Evidence) string {
	if e.NoEDNS {
		return "; asked without EDNS, it cannot say why"
	}
	return ""
}

// withoutRD says that the upstream was not asked for recursion.
func withoutRD(e *ev.Evidence) string {
	if e.NoRD {
		return "; asked without RD (recursion desired)"
	}
	return ""
}

// ownAddress says of an address that the query came to it.
func ownAddress(own bool) string {
	if own {
		return " (an address of this server)"
	}
	return ""
}

// deed is what an upstream did, by the error of the kind k.
func deed(e *ev.Evidence, k ev.Kind) string {
	switch err := e.Failure.Err; {
	case errors.Is(err, syscall.ENETUNREACH):
		return "has no route"
	case errors.Is(err, syscall.EHOSTUNREACH):
		return "cannot be reached (it is off, has no route, or a filter rejects the packets)"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "was not asked: this server has no free port, or no address to ask from"
	}
	return did[k]
}
