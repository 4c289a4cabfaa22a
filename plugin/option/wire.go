package option

import "strings"

// bare stands for what dig 9.18 with +yaml prints raw inside a quoted text, so
// that its document no longer parses.
var bare = strings.NewReplacer(`"`, `'`, `\`, `/`)

// worded returns text as EXTRA-TEXT: sanitized, at most max octets, and without
// quotation marks and backslashes. A structured text stays as it is.
func worded(text string, max int) string {
	if Structured(text) {
		return text
	}
	return bare.Replace(Sanitize(text, max))
}

// sendable reports whether text can go as it is. It may say no to a text that
// can.
func sendable(text string) bool {
	return clean(text) && !strings.ContainsAny(text, `"\`) || Structured(text)
}
