package memory

import (
	"encoding/binary"
	"slices"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// A verdict is kept packed: the place of its cause in the catalog, its marks, its words,
// and then its statements to the end. A word is its number in words, counted from 1, or 0,
// its length and its octets. Numbers are unsigned varints.

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

// pack appends v to b, without its evidence and facts, which belong to the query that was
// seen. Of statements that do not fit into maxPacked the last ones are left out. ok is
// false if it does not fit even so.
func pack(b []byte, v *cause.Verdict) (packed []byte, ok bool) {
	place, listed := places[v.Cause]
	if !listed {
		return b, false
	}
	begin := len(b)
	b = binary.AppendUvarint(b, uint64(place))
	b = binary.AppendUvarint(b, uint64(v.Marks()))
	for _, word := range [...]string{string(v.Lasts), string(v.Owner), v.Advice, v.Since, v.Own, v.At, v.Upstream, v.Zone} {
		b = appendWord(b, word)
	}
	if len(b)-begin > maxPacked {
		return b[:begin], false
	}
	for i := range v.Statements {
		end := len(b)
		if b = appendStatement(b, &v.Statements[i]); len(b)-begin > maxPacked {
			return b[:end], i > 0
		}
	}
	return b, true
}

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

func appendStatement(b []byte, s *cause.Statement) []byte {
	var marks byte
	if s.FromUpstream {
		marks |= fromUpstream
	}
	if s.Verbatim {
		marks |= verbatim
	}
	b = binary.AppendUvarint(b, uint64(s.Code))
	b = append(b, marks, byte(s.Source))
	b = appendWord(b, s.Brief)
	// The full text mostly ends as the brief one does.
	same := commonEnd(s.Brief, s.Full)
	b = binary.AppendUvarint(b, uint64(same))
	return appendWord(b, s.Full[:len(s.Full)-same])
}

func commonEnd(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}

// unpack returns the verdict that pack made packed of. It is one that many failures may
// share, and has no evidence.
func unpack(packed []byte) *cause.Verdict {
	r := reader{packed}
	var v cause.Verdict
	v.Cause = catalog[r.number()]
	marks := cause.Marks(r.number())
	v.Lasts, v.Owner = cause.Lasts(r.word()), cause.Owner(r.word())
	for _, word := range [...]*string{&v.Advice, &v.Since, &v.Own, &v.At, &v.Upstream, &v.Zone} {
		*word = r.word()
	}
	room := [option.MaxOptions]cause.Statement{}
	statements := room[:0]
	for len(r.left) > 0 {
		statements = append(statements, r.statement())
	}
	v.Statements = slices.Clone(statements)
	return cause.Restored(v, marks)
}

// reader reads what pack wrote.
type reader struct{ left []byte }

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

func (r *reader) statement() cause.Statement {
	s := cause.Statement{Code: uint16(r.number())}
	marks := r.octet()
	s.FromUpstream, s.Verbatim = marks&fromUpstream != 0, marks&verbatim != 0
	s.Source = option.Source(r.octet())
	s.Brief = r.word()
	same := int(r.number())
	if s.Full = r.word(); same > 0 {
		if s.Full == "" && same == len(s.Brief) {
			s.Full = s.Brief
		} else {
			s.Full += s.Brief[len(s.Brief)-same:]
		}
	}
	return s
}
