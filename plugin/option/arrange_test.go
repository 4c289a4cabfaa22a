package option

import (
	"slices"
	"strings"
	"testing"
)

func TestArrange(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	cut := func(n int) string { return long(n-len(ellipsis)) + ellipsis }
	for name, tc := range map[string]struct{ in, want []Option }{
		"nothing":                        {nil, []Option{}},
		"texts are sanitized":            {[]Option{{Code: 1, Text: "a\n\x1bb "}, {Code: 2, Text: "\x00"}}, []Option{{Code: 1, Text: "a b"}, {Code: 2}}},
		"order is kept":                  {[]Option{{22, "a", Upstream}, {6, "b", Diagnosis}, {13, "", Memory}}, []Option{{22, "a", Upstream}, {6, "b", Diagnosis}, {13, "", Memory}}},
		"first of a code":                {[]Option{{6, "", Upstream}, {7, "b", Local}, {6, "c", Local}}, []Option{{6, "", Upstream}, {7, "b", Local}}},
		"three of four":                  {[]Option{{Code: 1}, {Code: 2}, {Code: 3}, {Code: 4}}, []Option{{Code: 1}, {Code: 2}, {Code: 3}}},
		"repeats take no place":          {[]Option{{Code: 1}, {Code: 1}, {Code: 1}, {Code: 2}, {Code: 3}}, []Option{{Code: 1}, {Code: 2}, {Code: 3}}},
		"texts of exactly MaxText":       {[]Option{{Code: 1, Text: long(100)}, {Code: 2, Text: long(100)}}, []Option{{Code: 1, Text: long(100)}, {Code: 2, Text: long(100)}}},
		"later text shortened":           {[]Option{{Code: 1, Text: long(150)}, {Code: 2, Text: long(51)}}, []Option{{Code: 1, Text: long(150)}, {Code: 2, Text: cut(50)}}},
		"later text cut to the shortest": {[]Option{{Code: 1, Text: long(MaxText - shortest)}, {Code: 2, Text: long(50)}}, []Option{{Code: 1, Text: long(MaxText - shortest)}, {Code: 2, Text: cut(shortest)}}},
		"later text dropped rather than cut to a stump": {
			[]Option{{Code: 1, Text: long(MaxText - shortest + 1)}, {Code: 2, Text: long(50)}, {Code: 3, Text: long(15)}},
			[]Option{{Code: 1, Text: long(MaxText - shortest + 1)}, {Code: 2}, {Code: 3, Text: long(15)}}},
		"first text beyond MaxText": {[]Option{{Code: 1, Text: long(65533)}, {Code: 2, Text: "b"}}, []Option{{Code: 1, Text: cut(MaxText)}, {Code: 2}}},
	} {
		t.Run(name, func(t *testing.T) {
			before := slices.Clone(tc.in)
			got := Arrange(tc.in)
			sameOptions(t, got, tc.want)
			if !slices.Equal(before, tc.in) {
				t.Errorf("argument is now %v", tc.in)
			}
			if again := Arrange(got); !slices.Equal(again, got) {
				t.Errorf("arranged twice: %v", again)
			}
		})
	}
}

func TestBareKeepsOnlyTheTextOfOtherError(t *testing.T) {
	in := []Option{{22, "a", Upstream}, {0, "b", Local}, {6, "c", Diagnosis}}
	want := []Option{{22, "", Upstream}, {0, "b", Local}, {6, "", Diagnosis}}
	sameOptions(t, Bare(in), want)
	if in[0].Text != "a" || in[2].Text != "c" {
		t.Errorf("argument is now %v", in)
	}
}
