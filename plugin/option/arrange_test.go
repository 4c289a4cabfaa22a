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

func TestAStructuredTextIsNotCounted(t *testing.T) {
	object := func(n int) string { return `{"c":"` + strings.Repeat("x", n-8) + `"}` }
	plain := strings.Repeat("y", MaxText)
	for name, tc := range map[string]struct{ in, want []Option }{
		"next to a text of all the room":                  {[]Option{{Code: 17, Text: object(900)}, {Code: 22, Text: plain}}, []Option{{Code: 17, Text: object(900)}, {Code: 22, Text: plain}}},
		"of the largest size":                             {[]Option{{Code: 17, Text: object(MaxStructured)}}, []Option{{Code: 17, Text: object(MaxStructured)}}},
		"two that fit":                                    {[]Option{{Code: 17, Text: object(500)}, {Code: 15, Text: object(500)}}, []Option{{Code: 17, Text: object(500)}, {Code: 15, Text: object(500)}}},
		"a second that does not fit goes, its code stays": {[]Option{{Code: 17, Text: object(500)}, {Code: 15, Text: object(501)}}, []Option{{Code: 17, Text: object(500)}, {Code: 15}}},
		"one octet too long is a text as any":             {[]Option{{Code: 17, Text: object(MaxStructured + 1)}}, []Option{{Code: 17, Text: worded(object(MaxStructured+1), MaxText)}}},
	} {
		t.Run(name, func(t *testing.T) { sameOptions(t, Arrange(tc.in), tc.want) })
	}
}

func TestATextHasNoQuotationMarkAndNoBackslash(t *testing.T) {
	for in, want := range map[string]string{
		`plugin "acl" says \o/`:                 `plugin 'acl' says /o/`,
		`{"c" no object`:                        `{'c' no object`,
		"\"\"\n\\":                              "'' /",
		strings.Repeat(`"`, 300):                strings.Repeat(`'`, MaxText-len(ellipsis)) + ellipsis,
		`["a list is no object"]`:               `['a list is no object']`,
		"{\"a\":\"line\\nend\"}":                "{\"a\":\"line\\nend\"}",
		"{\"a\":\n1}":                           "{'a': 1}",
		"{\"a\":\"\u202e\"}":                    "{'a':''}",
		"{\"a\":\"\xff\"}":                      "{'a':'\ufffd'}",
		`{"a":1} and more`:                      `{'a':1} and more`,
		`{"s":[1],"j":"Zugriff gesperrt, ä"}  `: `{"s":[1],"j":"Zugriff gesperrt, ä"}  `,
	} {
		for _, got := range []string{Arrange([]Option{{Code: 15, Text: in}})[0].Text, fit([]Option{{Code: 15, Text: in}}, MaxText+emptyOption)[0].Text} {
			if got != want {
				t.Errorf("%q goes out as %q, want %q", in, got, want)
			}
		}
	}
}
