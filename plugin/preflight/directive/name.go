// Package directive knows what may stand where a Corefile names a plugin, and how
// often it may.
package directive

import (
	"net/netip"
	"strings"
)

// NotClosed is what to do if a block stands within another.
const NotClosed = "if another block begins here, close the block above with `}`"

const (
	notListed   = "if this is a zone of the same block, write a comma behind the zone before it; " + NotClosed
	forBraces   = "write a space before the brace"
	placeholder = "put in the value: this is a placeholder, which CoreDNS does not replace"
	comment     = "write `#` in place of %s to begin a comment"
)

// Unfit returns what to do about a token that cannot be the name of a plugin, and ""
// if it may be one. first is true if it is the first of its block.
func Unfit(name string, first bool) string {
	switch sign := CommentSign(name); {
	case name == "":
		return "write the name of a plugin; this one is empty, perhaps because a variable has no value"
	case isConflict(name):
		return "resolve the merge conflict: this is a mark of git"
	case isTemplate(name), strings.HasPrefix(name, "${"):
		return placeholder
	case sign != "":
		return strings.Replace(comment, "%s", "`"+sign+"`", 1)
	case len(name) > 1 && strings.HasSuffix(name, ";"):
		return "remove the semicolon: a line has none at its end"
	case name == "{" || name == "}":
		return "remove the brace"
	case strings.HasPrefix(name, "(") && strings.HasSuffix(name, ")"):
		return "a snippet stands outside of blocks: close the block above with `}`"
	case strings.ContainsAny(name, "{}"):
		return forBraces
	case isAddress(name):
		return "if this is a line of a plugin, for example of `hosts`, write `{` at the end of the first line of that plugin; " + NotClosed
	case properties[name] != "":
		return "this is a property of a plugin: write it between the braces of that plugin, for example of `" + properties[name] + "`"
	case first && strings.ContainsAny(name, ".,:*/"):
		return notListed
	case strings.ContainsAny(name, ".,:*/"):
		return NotClosed
	case !IsName(name):
		return "write the name of a plugin"
	}
	return ""
}

// UnfitKey returns what to do about a key that makes a block of what is none, and "" if the
// key may be a zone: the lines below it are then read as plugins.
func UnfitKey(key string) string {
	switch sign := CommentSign(key); {
	case key == "}":
		return "remove the brace, which closes no block"
	case isTemplate(key):
		return placeholder
	case isConflict(key):
		return "resolve the merge conflict: the keys begin with a mark of git"
	case sign != "":
		return strings.Replace(comment, "%s", "`"+sign+"`", 1)
	}
	return ""
}

// IsBlock reports whether lines, those between the braces of a directive, are those of a
// server block: that of another one is not closed then.
func IsBlock(lines [][]string, known func(name string) bool) bool {
	answers := false
	for _, line := range lines {
		if len(line) == 0 || !known(line[0]) {
			return false
		}
		switch line[0] {
		case "forward", "grpc", "file", "template": // of fewer words it may be a property
			answers = answers || len(line) > 2
		case "errors":
			answers = answers || len(line) == 1
		case "kubernetes", "whoami":
			answers = true
		}
	}
	return answers
}

// CommentSign is how name begins a comment in other languages, "" if it does not.
func CommentSign(name string) string {
	for _, sign := range []string{"//", "/*", ";", "--", "<!--", "%%"} {
		if strings.HasPrefix(name, sign) {
			return sign
		}
	}
	return ""
}

// isTemplate reports whether name begins as what Helm, Jinja and others replace.
func isTemplate(name string) bool {
	return strings.HasPrefix(name, "{{") || strings.HasPrefix(name, "{%")
}

func isConflict(name string) bool {
	switch name {
	case "<<<<<<<", "|||||||", "=======", ">>>>>>>":
		return true
	}
	return false
}

func isAddress(name string) bool {
	name = strings.Trim(name, "[],")
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	_, err := netip.ParseAddrPort(name)
	return err == nil
}

// IsName reports whether name has nothing but what names of plugins are made of.
func IsName(name string) bool {
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || (r < '0' || r > '9') && r != '_' && r != '-') {
			return false
		}
	}
	return true
}
