// Package path says what questions to an upstream that got no answer show of the path to
// it.
package path

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/control"
)

// Life is what an upstream was seen to answer: the error of each question that was not.
type Life struct {
	// Root is the error of a control question.
	Root error
	// Other was asked over the other transport.
	Other error
	// Own is asked twice over the same transport as Root, where Other is answered: what
	// the upstream has to ask nobody for.
	Own [2]error
	// Plain is the error of the control question without EDNS.
	Plain error
	// ByTCP is true if Root was asked over TCP.
	ByTCP bool
}

// OverBoth says what became of the control questions over both transports.
func (l Life) OverBoth() string {
	root, other := control.Phrase(l.Root), control.Phrase(l.Other)
	switch {
	case root == other && (Lost{l.Root}.Silent() || control.Refused(l.Root)):
		return "over UDP and TCP"
	case root == other:
		return "over UDP and TCP: " + root
	case l.ByTCP:
		return fmt.Sprintf("over TCP: %s, over UDP: %s", root, other)
	}
	return fmt.Sprintf("over UDP: %s, over TCP: %s", root, other)
}

// Either says of an upstream what became of control questions for the root, after another
// question had failed. Time is spoken of where time was waited.
func Either(failures ...error) string {
	all := func(is func(error) bool) bool { return Lost(failures).all(is) }
	switch {
	case all(control.TimedOut):
		return "does not answer for the root in time either"
	case all(control.Refused):
		return "refuses the connection for the root too"
	case len(failures) == 1:
		return "does not answer for the root either: " + control.Phrase(failures[0])
	}
	return "does not answer for the root either"
}

// Lost are the errors of several tries over one transport.
type Lost []error

// numbers are words for how many tries there were.
var numbers = [...]string{"none", "one", "two", "three"}

// Tries says what became of the tries; what and its plural are their names.
func (l Lost) Tries(what, plural string) string {
	n := fmt.Sprint(len(l))
	if len(l) < len(numbers) {
		n = numbers[len(l)]
	}
	if len(l) != 1 {
		what = plural
	}
	return n + " " + what + " " + l.Became()
}

// Became says what became of all of them.
func (l Lost) Became() string {
	if l.Silent() {
		return "got no reply"
	}
	var phrases []string
	for _, err := range l {
		if phrase := control.Phrase(err); !slices.Contains(phrases, phrase) {
			phrases = append(phrases, phrase)
		}
	}
	return "failed (" + strings.Join(phrases, "; ") + ")"
}

// Silent reports whether none of them got a reply, or anything else.
func (l Lost) Silent() bool { return l.all(control.TimedOut) }

// Unconnected reports whether in none of them a connection over TCP came about, and nothing
// refused it.
func (l Lost) Unconnected() bool { return l.all(control.Unconnected) }

func (l Lost) all(is func(error) bool) bool {
	return !slices.ContainsFunc(l, func(err error) bool { return !is(err) })
}

// OrUpstream says that what is not answered over UDP is the path's or the upstream's.
func (l Lost) OrUpstream() string {
	switch {
	case l.Silent():
		return "the path loses UDP, or the upstream drops it (a rate limit)"
	case slices.ContainsFunc(l, control.TimedOut):
		return "the path loses UDP, or the upstream drops it (a rate limit) or does not serve it"
	}
	return "the upstream does not serve UDP, or a filter closes it"
}
