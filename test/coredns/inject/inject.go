// Package inject puts a directive into every server block of a Corefile. The
// copy of CoreDNS's own test suite that test/coredns makes has its NewInput call
// it, through which all Corefiles of the suite go.
package inject

import (
	"os"
	"strings"
)

// Variable is the environment variable that names the directive; without it
// Corefiles stay as they are.
const Variable = "COREDNS_TEST_DIRECTIVE"

// Corefile returns corefile with the directive of the environment.
func Corefile(corefile string) string {
	directive := os.Getenv(Variable)
	if directive == "" {
		return corefile
	}
	return Into(corefile, directive)
}

// Into returns corefile with directive as the first line of every server block.
// Snippets are left alone: what imports one has the directive already. A block
// opens, as in the suite, with a line that ends in {, and closes with a line
// that holds nothing but }.
func Into(corefile, directive string) string {
	var out []string
	depth := 0
	for _, line := range strings.Split(corefile, "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || strings.HasPrefix(words[0], "#"):
			out = append(out, line)
			continue
		case words[0] == "}":
			depth--
		case depth == 0 && words[len(words)-1] == "{}":
			out = append(out, strings.TrimSuffix(strings.TrimRight(line, " \t\r"), "}"), "\t"+directive, "}")
			continue
		}
		out = append(out, line)
		if words[len(words)-1] == "{" {
			if depth == 0 && !strings.HasPrefix(words[0], "(") {
				out = append(out, "\t"+directive)
			}
			depth++
		}
	}
	return strings.Join(out, "\n")
}
