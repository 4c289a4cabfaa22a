package option

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSanitize(t *testing.T) {
	for name, tc := range map[string]struct {
		in   string
		max  int
		want string
	}{
		"plain text passes":                     {"no reply from 192.0.2.53:53", 200, "no reply from 192.0.2.53:53"},
		"other scripts pass":                    {"зона просрочена 域名", 200, "зона просрочена 域名"},
		"line ends become one space":            {"a\r\nb\tc", 200, "a b c"},
		"line separators become a space":        {"a\u2028b\u2029c\u0085d", 200, "a b c d"},
		"no-break space becomes a space":        {"a\u00a0b", 200, "a b"},
		"spaces run together":                   {"a  \n b", 200, "a b"},
		"spaces at the ends go":                 {" \n a \t ", 200, "a"},
		"trailing NULs go":                      {"expired\x00\x00 \x00", 200, "expired"},
		"NUL inside goes":                       {"a\x00b", 200, "ab"},
		"ESC goes":                              {"\x1b[31mred", 200, "[31mred"},
		"C1 controls go":                        {"a\u009b31mb", 200, "a31mb"},
		"DEL goes":                              {"a\x7fb", 200, "ab"},
		"bidi controls go":                      {"a\u061c\u200e\u200f\u202a\u202e\u2066\u2069b", 200, "ab"},
		"zero width goes":                       {"a\u200b\u200c\u200d\u2060\ufeff\u00adb", 200, "ab"},
		"tag characters go":                     {"a\U000e0041\U000e007fb", 200, "ab"},
		"variation selectors go":                {"a\ufe0f\U000e0101b", 200, "ab"},
		"invisible letters go":                  {"a\u3164\u115f\u034fb", 200, "ab"},
		"private use goes":                      {"a\ue000b", 200, "ab"},
		"noncharacters go":                      {"a\ufffeb", 200, "ab"},
		"invalid octets become one mark":        {"a\xff\xfe\xc3b\xff", 200, "a\ufffdb\ufffd"},
		"marks around a dropped one are one":    {"\xff\x00\xff", 200, "\ufffd"},
		"marks around a space are two":          {"\xff \xff", 200, "\ufffd \ufffd"},
		"surrogates are invalid":                {"\xed\xa0\x80", 200, "\ufffd"},
		"overlong forms are invalid":            {"\xc0\x8a", 200, "\ufffd"},
		"nothing visible leaves nothing":        {"\u200b\x00 \n", 200, ""},
		"empty stays empty":                     {"", 200, ""},
		"exactly max is whole":                  {"abcdef", 6, "abcdef"},
		"max counts what is left":               {"abc\x00\x00\x00def   ", 6, "abcdef"},
		"one over is cut with a mark":           {"abcdefg", 6, "abc…"},
		"no space before the mark":              {"ab cdefg", 6, "ab…"},
		"cut before a character not inside":     {"aäöü", 6, "aä…"},
		"no room for the mark next to a letter": {"abcd", 3, "abc"},
		"a letter that does not fit at all":     {"äb", 1, ""},
		"max 0":                                 {"abc", 0, ""},
		"max below 0":                           {"abc", -1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Sanitize(tc.in, tc.max); got != tc.want {
				t.Errorf("Sanitize(%q, %d) = %q, want %q", tc.in, tc.max, got, tc.want)
			}
		})
	}
}

func TestSanitizeOfTheLargestOption(t *testing.T) {
	for name, in := range map[string]string{
		"letters":        strings.Repeat("a", 65533),
		"controls":       strings.Repeat("\x1b", 65532) + "a",
		"invalid":        strings.Repeat("\xff", 65533),
		"spaces":         strings.Repeat(" \n", 32766),
		"combining mark": strings.Repeat("\u0301", 32766),
	} {
		t.Run(name, func(t *testing.T) { checkSanitized(t, in, MaxText) })
	}
}

func checkSanitized(t *testing.T, in string, max int) {
	t.Helper()
	got := Sanitize(in, max)
	if len(got) > max && got != "" {
		t.Errorf("%d octets, want at most %d", len(got), max)
	}
	if !utf8.ValidString(got) {
		t.Errorf("%q is not UTF-8", got)
	}
	for _, r := range got {
		if r < ' ' || r >= 0x7f && r <= 0x9f || r == '\u2028' || r == '\u2029' || r == '\ufeff' ||
			r == '\u061c' || r >= '\u200b' && r <= '\u200f' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
			t.Errorf("%q has %U", got, r)
		}
	}
	if strings.TrimSpace(got) != got || strings.Contains(got, "  ") || strings.Contains(got, "\ufffd\ufffd") {
		t.Errorf("%q is not collapsed", got)
	}
	if again := Sanitize(got, max); again != got {
		t.Errorf("twice: %q, once: %q", again, got)
	}
}

func FuzzSanitize(f *testing.F) {
	f.Add("no reply from 192.0.2.53:53", 200)
	f.Add("a\r\n\x1b[31m\x00\u202eb\xff\xfe", 7)
	f.Add("ab\u3000\u0301…äöü\x00", 5)
	f.Add(strings.Repeat("域", 100), 200)
	f.Fuzz(func(t *testing.T, in string, max int) { checkSanitized(t, in, max%1000) })
}
