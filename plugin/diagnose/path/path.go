// Package path says what questions to an upstream that got no answer show of the path to
// it.
package path

import (
	"fmt"

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
	// Never is true if the upstream had answered this server nothing before.
	Never bool
	// ByTCP is true if Root was asked over TCP.
	ByTCP bool
}

// OverBoth says what became of the control questions over both transports.
func (l Life) OverBoth() string {
	root, other := control.Phrase(l.Root), control.Phrase(l.Other)
	switch {
	case root == other:
		return "over UDP and TCP"
	case l.ByTCP:
		return fmt.Sprintf("over TCP: %s, over UDP: %s", root, other)
	}
	return fmt.Sprintf("over UDP: %s, over TCP: %s", root, other)
}

// Three says what became of as many control questions.
func Three(transport string, lost error) string {
	if control.TimedOut(lost) {
		return "three questions over " + transport + " got no reply"
	}
	return "three questions over " + transport + " failed (" + control.Phrase(lost) + ")"
}

// OrUpstream says that what is not answered over UDP is the path's or the upstream's.
func OrUpstream(lost error) string {
	if control.TimedOut(lost) {
		return "the path loses UDP, or the upstream drops it (a rate limit)"
	}
	return "the upstream does not serve UDP, or a filter closes it"
}
