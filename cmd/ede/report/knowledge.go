package report

import "slices"

// Knowledge is what the catalog of causes says. Both functions may be nil and
// may return empty strings for causes they do not know.
type Knowledge struct {
	// Advice returns a cause's title and what to do about it.
	Advice func(cause string) (title, advice string)
	// Facts returns who acts on a cause and how long it lasts, where the log
	// does not say: summaries do not.
	Facts func(cause string) (owner, lasts string)
}

const unknown = "unknown"

func (k Knowledge) advice(c *causeTally) (title, advice string) {
	if k.Advice != nil {
		title, advice = k.Advice(c.name)
	}
	if advice == "" {
		advice = c.advice
	}
	return title, advice
}

// facts prefers what the lines of this log say over the catalog: for some
// causes it depends on the case at hand.
func (k Knowledge) facts(c *causeTally) (owner, lasts string) {
	owner, lasts = c.owners.most(), c.lasts.most()
	if k.Facts != nil && (owner == "" || lasts == "") {
		o, l := k.Facts(c.name)
		owner, lasts = firstOf(owner, o), firstOf(lasts, l)
	}
	return firstOf(owner, unknown), firstOf(lasts, unknown)
}

func firstOf(vals ...string) string {
	if i := slices.IndexFunc(vals, func(s string) bool { return s != "" }); i >= 0 {
		return vals[i]
	}
	return ""
}
