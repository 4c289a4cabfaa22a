package page

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var customColour = regexp.MustCompile(`--([a-z0-9-]+): #([0-9a-f]{6});`)

// colours reads the custom properties of one colour scheme.
func colours(css string) map[string]uint64 {
	all := make(map[string]uint64)
	for _, m := range customColour.FindAllStringSubmatch(css, -1) {
		all[m[1]], _ = strconv.ParseUint(m[2], 16, 32)
	}
	return all
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(rgb uint64) float64 {
	sum := 0.0
	for i, weight := range []float64{0.0722, 0.7152, 0.2126} {
		c := float64(rgb>>(8*i)&255) / 255
		if c <= 0.04045 {
			sum += weight * c / 12.92
		} else {
			sum += weight * math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return sum
}

func contrast(a, b uint64) float64 {
	light, dark := max(luminance(a), luminance(b)), min(luminance(a), luminance(b))
	return (light + 0.05) / (dark + 0.05)
}

// TestTextAndBarsStandOutInLightAndDark holds the contrast that WCAG 2.2 asks
// for: 4.5 for text (1.4.3), 3 for the parts of a chart (1.4.11).
func TestTextAndBarsStandOutInLightAndDark(t *testing.T) {
	light, dark, _ := strings.Cut(string(style), "@media (prefers-color-scheme: dark)")
	for scheme, css := range map[string]string{"light": light, "dark": dark} {
		all := colours(css)
		check := func(front, back string, least float64) {
			f, ok := all[front]
			b, known := all[back]
			if !ok || !known {
				t.Fatalf("%s has no %s or %s", scheme, front, back)
			}
			if got := contrast(f, b); got < least {
				t.Errorf("%s: %s on %s has contrast %.2f, want %v", scheme, front, back, got, least)
			}
		}
		for _, text := range []string{"ink", "soft", "link"} {
			for _, back := range []string{"back", "card", "bad-back"} {
				check(text, back, 4.5)
			}
		}
		check("ink", "line", 4.5)
		for _, tone := range []string{"bad", "warn", "good"} {
			check(tone, tone+"-back", 4.5)
			check(tone, "card", 3)
		}
		for i := range seriesShown + 1 {
			check("s"+strconv.Itoa(i), "card", 3)
		}
	}
}
