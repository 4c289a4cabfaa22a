package cause

import (
	"slices"
	"strings"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// Statement is one EDE in its two wordings.
type Statement struct {
	Code        uint16
	Brief, Full string
	Source      option.Source
	// FromUpstream marks what an upstream said, and Verbatim what a plugin of
	// this server put into the reply itself: acl's 15, a template's ederror.
	FromUpstream, Verbatim bool
	// names marks the one that names the cause where the others with it are those of
	// a failure before.
	names bool
}

// Codes that say less than others, and those that they say less than.
const (
	otherError    = 0
	indeterminate = 5
	bogus         = 6
	cachedError   = 13
	notReady      = 14
	noAuthority   = 22
	networkError  = 23
)

// verbatim returns what a plugin said in its own words. Where it has none, own
// stands for them: for a client that may read all, and for 0 Other Error, which
// says nothing without a text (RFC 8914 section 4.1).
func verbatim(own Statement, said []option.Option) []Statement {
	statements := make([]Statement, len(said))
	for i, o := range said {
		s := Statement{Code: o.Code, Brief: o.Text, Full: o.Text, Verbatim: true}
		if o.Text == "" && i == 0 {
			s.Full = own.Full
		}
		if o.Text == "" && o.Code == otherError {
			s.Brief, s.Full = own.Brief, own.Full
		}
		statements[i] = s
	}
	return statements
}

// statementsOf returns the upstream's own statements with their source named, since
// a client takes an EDE to be its resolver's (RFC 8914 section 3). A structured
// text is for programs and stays as it is.
func statementsOf(upstream string, said []option.Option) []Statement {
	statements := make([]Statement, len(said))
	for i, o := range said {
		s := Statement{Code: o.Code, Source: option.Upstream, FromUpstream: true, Brief: o.Text, Full: o.Text}
		if !option.Structured(o.Text) {
			s.Brief, s.Full = attributed("upstream", o.Text), attributed(host(upstream), o.Text)
		}
		statements[i] = s
	}
	return statements
}

// attributed names the source of text, once, however many servers stand in
// line: a text that begins with an attribution is left as it is.
func attributed(source, text string) string {
	if source == "" {
		source = "upstream"
	}
	if text == "" {
		return "from " + source
	}
	if word, _, ok := strings.Cut(strings.TrimPrefix(text, "from "), ": "); ok &&
		strings.HasPrefix(text, "from ") && !strings.Contains(word, " ") || isAttribution(text) {
		return text
	}
	return "from " + source + ": " + text
}

// isAttribution reports whether text names its source and says nothing else.
func isAttribution(text string) bool {
	source, ok := strings.CutPrefix(text, "from ")
	return ok && !strings.Contains(source, " ")
}

// host is addr without the default port.
func host(addr string) string { return strings.TrimSuffix(addr, ":53") }

// hasWords reports whether s says more than its code and its source.
func (s Statement) hasWords() bool { return s.Brief != "" && !isAttribution(s.Brief) }

// telling returns those of all that tell something in addition to the others. Many
// clients show one option alone, the first or the last, so what says less than
// another does not stand next to it. all is left as it is.
func telling(all []Statement) []Statement {
	for i := range all {
		if tells(all, i) {
			continue
		}
		kept, left := slices.Clone(all[:i]), slices.Clone(all[i:i+1])
		for j := i + 1; j < len(all); j++ {
			if tells(all, j) {
				kept = append(kept, all[j])
			} else {
				left = append(left, all[j])
			}
		}
		handDown(left, kept)
		return kept
	}
	return all
}

// handDown gives the words of what is left out to what is kept without any, of
// the same source: "6 signature crypto failed" and a bare 10 are one statement.
func handDown(left, kept []Statement) {
	for _, l := range left {
		if l.Code == cachedError || !l.hasWords() || option.Structured(l.Brief) {
			continue
		}
		for i := range kept {
			if k := &kept[i]; !k.hasWords() && k.FromUpstream == l.FromUpstream {
				k.Brief, k.Full = l.Brief, l.Full
				break
			}
		}
	}
}

// tells reports whether the statement at i says something that no other does. One
// of this server's own is never left out for another's.
func tells(all []Statement, i int) bool {
	s := all[i]
	if s.names {
		return true
	}
	own := !s.FromUpstream && !s.Verbatim
	other := func(is func(Statement) bool) bool {
		for j, o := range all {
			if j != i && o.Code != s.Code && !(own && (o.FromUpstream || o.Verbatim)) && is(o) {
				return true
			}
		}
		return false
	}
	switch s.Code {
	case otherError:
		return !other(func(o Statement) bool { return o.Code != cachedError || !s.hasWords() })
	case cachedError:
		return !other(func(o Statement) bool { return o.Code != otherError || o.hasWords() })
	case indeterminate, bogus:
		return !other(func(o Statement) bool { return slices.Contains(dnssecCodes, o.Code) })
	case networkError:
		return s.hasWords() || !other(func(o Statement) bool { return o.Code == noAuthority })
	}
	return true
}

// Remarks are the options of an answer that did not fail: what its upstream said, unless
// keepUpstream is false, with its source named as on failures, and stale, one of 3 and 19
// if this server served it stale itself, else 0.
func Remarks(said []option.Option, by string, stale uint16, words Words, keepUpstream bool) []option.Option {
	var statements []Statement
	if keepUpstream {
		statements = statementsOf(by, said)
	}
	if stale != 0 {
		const why = "the cache gives it beyond its TTL"
		statements = append(statements, Statement{Code: stale, Brief: why, Full: why})
	}
	var opts []option.Option
	for _, s := range telling(statements) {
		opts = append(opts, option.Option{Code: s.Code, Text: s.text(words), Source: s.Source})
	}
	return option.Arrange(opts)
}

// RemarkText is all of Remarks in words, for the log.
func RemarkText(said []option.Option, by string, stale uint16) string {
	var words []string
	for _, o := range Remarks(said, by, stale, FullWords, true) {
		if o.Text != "" {
			words = append(words, o.Text)
		}
	}
	return strings.Join(words, "; ")
}
