package memory

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// A verdict is kept packed: an octet that says whether its texts name the question, the
// place of its cause in the catalog, its marks, its words, and then its statements to the
// end. A word is its number in words, counted from 1, or 0, its length and its octets.
// Numbers are unsigned varints.
//
// Many texts say nothing but the same of each name: "no record of NAME and no fallthrough". In
// place of the name of the question they are kept with an octet that no text has, so that
// they are one text.

// words are the texts that verdicts have of the catalog: a closed set, and the longest of
// what they say. numbers are their places in it, counted from 1.
var words, numbers = func() (words []string, numbers map[string]uint64) {
	numbers = make(map[string]uint64)
	add := func(text string) {
		if numbers[text] == 0 {
			words = append(words, text)
			numbers[text] = uint64(len(words))
		}
	}
	add("")
	for _, lasts := range []cause.Lasts{cause.Transient, cause.Persistent, cause.LastsOpen} {
		add(string(lasts))
	}
	for _, owner := range []cause.Owner{cause.Us, cause.Upstream, cause.Zone, cause.Client, cause.Network, cause.Nobody} {
		add(string(owner))
	}
	for _, c := range cause.All() {
		add(c.Brief)
		add(c.Full)
		for _, advice := range c.Advices() {
			add(advice)
		}
	}
	return words, numbers
}()

var catalog = cause.All()

// places are those of the causes in catalog.
var places = func() map[*cause.Cause]int {
	places := make(map[*cause.Cause]int, len(catalog))
	for i, c := range catalog {
		places[c] = i
	}
	return places
}()

// maxPacked bounds the octets of a verdict: three options with structured texts fit.
const maxPacked = 4096

// pack appends v to b, a verdict on a question for name, without its evidence and facts,
// which belong to the query that was seen. Of statements that do not fit into maxPacked the
// last ones are left out. ok is false if it does not fit even so.
func pack(b []byte, v *cause.Verdict, name string) (packed []byte, ok bool) {
	place, listed := places[v.Cause]
	if !listed {
		return b, false
	}
	begin := len(b)
	if mentions(v, name) {
		b = append(b, 1)
	} else {
		b, name = append(b, 0), ""
	}
	b = binary.AppendUvarint(b, uint64(place))
	b = binary.AppendUvarint(b, uint64(v.Marks()))
	for _, word := range [...]string{string(v.Lasts), string(v.Owner), v.Advice, v.Since, v.Own, v.At, v.Upstream, v.Zone} {
		b = appendWord(b, withoutName(word, name))
	}
	if len(b)-begin > maxPacked {
		return b[:begin], false
	}
	for i := range v.Statements {
		end := len(b)
		if b = appendStatement(b, &v.Statements[i], name); len(b)-begin > maxPacked {
			return b[:end], i > 0
		}
	}
	return b, true
}

// nameMark stands for the name of the question.
const nameMark = "\x00"

// mentions reports whether a text of v has name in it, and none has nameMark.
func mentions(v *cause.Verdict, name string) (does bool) {
	if len(name) < len("a.") {
		return false
	}
	look := func(text string) bool {
		does = does || strings.Contains(text, name)
		return !strings.Contains(text, nameMark)
	}
	for _, word := range [...]string{v.Advice, v.Since, v.Own, v.At, v.Upstream, v.Zone} {
		if !look(word) {
			return false
		}
	}
	for i := range v.Statements {
		if s := &v.Statements[i]; !look(s.Brief) || !look(s.Full) {
			return false
		}
	}
	return does
}

// withoutName returns text with nameMark for each name in it. An empty name is none.
func withoutName(text, name string) string {
	if name == "" {
		return text
	}
	return strings.ReplaceAll(text, name, nameMark)
}

// isNamed reports whether what is packed differs from name to name.
func isNamed(packed []byte) bool { return packed[0] != 0 }

func appendWord(b []byte, word string) []byte {
	if n := numbers[word]; n != 0 {
		return binary.AppendUvarint(b, n)
	}
	b = binary.AppendUvarint(append(b, 0), uint64(len(word)))
	return append(b, word...)
}

// What a statement has in addition to its words.
const (
	fromUpstream = 1 << iota
	verbatim
)

func appendStatement(b []byte, s *cause.Statement, name string) []byte {
	var marks byte
	if s.FromUpstream {
		marks |= fromUpstream
	}
	if s.Verbatim {
		marks |= verbatim
	}
	b = binary.AppendUvarint(b, uint64(s.Code))
	b = append(b, marks, byte(s.Source))
	brief, full := withoutName(s.Brief, name), withoutName(s.Full, name)
	b = appendWord(b, brief)
	// The full text mostly ends as the brief one does.
	same := commonEnd(brief, full)
	b = binary.AppendUvarint(b, uint64(same))
	return appendWord(b, full[:len(full)-same])
}

func commonEnd(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}

// unpack returns the verdict that pack made packed of, as one on a question for name. It is
// one that many failures may share, and has no evidence.
func unpack(packed []byte, name string) *cause.Verdict {
	r := reader{left: packed[1:]}
	if isNamed(packed) {
		r.name = name
	}
	var v cause.Verdict
	v.Cause = catalog[r.number()]
	marks := cause.Marks(r.number())
	v.Lasts, v.Owner = cause.Lasts(r.text()), cause.Owner(r.text())
	for _, word := range [...]*string{&v.Advice, &v.Since, &v.Own, &v.At, &v.Upstream, &v.Zone} {
		*word = r.text()
	}
	room := [option.MaxOptions]cause.Statement{}
	statements := room[:0]
	for len(r.left) > 0 {
		statements = append(statements, r.statement())
	}
	v.Statements = slices.Clone(statements)
	return cause.Restored(v, marks)
}

// reader reads what pack wrote. It puts name where nameMark stands, unless name is empty.
type reader struct {
	left []byte
	name string
}

func (r *reader) number() uint64 {
	n, octets := binary.Uvarint(r.left)
	r.left = r.left[octets:]
	return n
}

func (r *reader) octet() byte {
	octet := r.left[0]
	r.left = r.left[1:]
	return octet
}

func (r *reader) word() string {
	if n := r.number(); n != 0 {
		return words[n-1]
	}
	length := r.number()
	word := string(r.left[:length])
	r.left = r.left[length:]
	return word
}

// text is a word with the name in it.
func (r *reader) text() string { return r.named(r.word()) }

func (r *reader) named(word string) string {
	if r.name == "" {
		return word
	}
	return strings.ReplaceAll(word, nameMark, r.name)
}

func (r *reader) statement() cause.Statement {
	s := cause.Statement{Code: uint16(r.number())}
	marks := r.octet()
	s.FromUpstream, s.Verbatim = marks&fromUpstream != 0, marks&verbatim != 0
	s.Source = option.Source(r.octet())
	brief := r.word()
	same := int(r.number())
	full := r.word()
	s.Brief = r.named(brief)
	if s.Full = s.Brief; full != "" || same < len(brief) {
		s.Full = r.named(full + brief[len(brief)-same:])
	}
	return s
}
