package corefile

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"strings"
)

// An opened is a brace that is not closed yet, by the line that it ends.
type opened struct {
	line, indent int
	inner        bool // a line below it has a larger indent
}

// placed is an error of caddyfile at the end of the file, or at a token that follows from
// one above, in place of which it tells the line of the brace that is not closed.
func placed(file string, text []byte, err error) error {
	where, message, _ := strings.Cut(err.Error(), " - ")
	if strings.HasSuffix(message, "no matching opening brace") {
		return fmt.Errorf("%w: write each `}` on a line of its own", err)
	}
	if name, ok := strings.CutPrefix(message, "Error during parsing: File to import not found: "); ok && beginsLine(text, "("+name+")") {
		return fmt.Errorf("%w: move the snippet (%s) above what imports it", err, name)
	}
	if strings.HasPrefix(message, "Error during parsing: Import takes only one argument") {
		return fmt.Errorf("%w: write one import for each file or snippet; a snippet of a Corefile has no arguments", err)
	}
	if first, _, more := strings.Cut(message, "\n"); more { // a token of several lines
		message = first + "...'"
		err = fmt.Errorf("%s - %s", where, message)
	}
	if !strings.HasSuffix(message, "Unexpected EOF") && !strings.HasPrefix(message, "Syntax error: ") {
		return err
	}
	open := CheckBraces(file, 0, text)
	if open == nil {
		left := maxImported
		open = checkImported(file, text, &left)
	}
	if open != nil {
		return fmt.Errorf("%w (%s)", open, message)
	}
	return err
}

// maxImported is how many imported files are looked into for a brace.
const maxImported = 256

// checkImported is CheckBraces for the files that a Corefile imports, and those that they
// import.
func checkImported(file string, text []byte, left *int) error {
	before, importing := 0, false
	for s := newScanner(text); s.next(); before = s.at {
		begins := s.at != before
		if importing && !begins {
			for _, path := range matches(file, s.text()) {
				inside, err := os.ReadFile(path)
				if *left--; *left < 0 || err != nil {
					return nil
				}
				if err := cmp.Or(CheckBraces(path, 0, inside), checkImported(path, inside, left)); err != nil {
					return err
				}
			}
		}
		importing = begins && s.text() == "import"
	}
	return nil
}

// CheckBraces returns an error if a brace of a Corefile, or of a part of one, is not closed. Its
// lines begin below line above of file.
func CheckBraces(file string, above int, text []byte) error {
	line, sign := unclosed(text)
	switch sign {
	case 0:
		return nil
	case '"':
		return fmt.Errorf("%s:%d - the quotation mark of this line is not closed", file, above+line)
	}
	return fmt.Errorf("%s:%d - the `{` of this line is not closed with `}`", file, above+line)
}

// unclosed returns the line of a brace that is not closed, or of a quotation mark; sign is 0
// if all are. Of several braces it is the one that the indents tell, else the last.
func unclosed(text []byte) (line int, sign byte) {
	indents := indentsOf(text)
	var stack []opened
	told, before := 0, 0
	tell := func(o opened) {
		if told == 0 {
			told = o.line
		}
	}
	for s := newScanner(text); s.next(); {
		indent, begins := indents[s.at-1], s.at != before
		before = s.at
		last := len(stack) - 1
		if last >= 0 && begins && indent > stack[last].indent {
			stack[last].inner = true
		}
		if s.token[0] == '"' && (len(s.token) == 1 || s.token[len(s.token)-1] != '"') {
			return s.at, '"'
		}
		if len(s.token) > maxBrace {
			continue
		}
		switch s.text() {
		case "{":
			if last >= 0 && stack[last].inner && indent <= stack[last].indent {
				tell(stack[last])
			}
			stack = append(stack, opened{line: s.at, indent: indent})
		case "}":
			if last >= 0 && begins {
				for ; last > 0 && indent < stack[last].indent; last-- {
					tell(stack[last])
				}
			}
			stack = stack[:max(last, 0)]
		}
	}
	switch {
	case told > 0:
		return told, '{'
	case len(stack) > 0:
		return stack[len(stack)-1].line, '{'
	}
	return 0, 0
}

// indentsOf returns how many spaces or tabs stand before each line.
func indentsOf(text []byte) []int {
	var indents []int
	for line := range bytes.Lines(text) {
		indents = append(indents, len(line)-len(bytes.TrimLeft(line, " \t")))
	}
	return append(indents, 0)
}

// beginsLine reports whether a line of text begins with start.
func beginsLine(text []byte, start string) bool {
	return bytes.HasPrefix(text, []byte(start)) || bytes.Contains(text, []byte("\n"+start))
}
