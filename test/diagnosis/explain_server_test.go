package diagnosis_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/explain"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// Where the server itself cannot be reached, that is the whole reason.
func TestExplainSaysThatNothingListens(t *testing.T) {
	addr := upstream.Closed(t)
	var out bytes.Buffer
	command := explain.Command()
	command.SetOut(&out)
	command.SetErr(&out)
	command.SetArgs([]string{"www.example.org", "@" + addr})
	if err := command.Execute(); !errors.Is(err, explain.ErrExplained) {
		t.Errorf("%v", err)
	}
	for _, want := range []string{addr + " refused the connection", "EDE 23 ", "cause upstream_unreachable"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, &out)
		}
	}
}
