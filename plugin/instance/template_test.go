package instance

import (
	"strings"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/preflight"
)

func TestTheCorefileTellsWhatABareServfailOfTemplateMeans(t *testing.T) {
	const (
		servfail = "template IN A {\n match ^www\\.\n rcode SERVFAIL\n}\n"
		always   = "template ANY ANY {\n rcode servfail\n}\n"
		answers  = "template IN A {\n match ^www\\.\n answer \"{{ .Name }} 60 IN A 192.0.2.1\"\n}\n"
		refuses  = "template IN A {\n rcode REFUSED\n}\n"
	)
	for _, c := range []struct {
		name, templates string
		want            evidence.Template
	}{
		{"a template that answers", answers, evidence.TemplateNoMatch},
		{"two that never say SERVFAIL", answers + refuses, evidence.TemplateNoMatch},
		{"one that always says SERVFAIL", always, evidence.TemplateRcode},
		{"two that always say SERVFAIL", always + always, evidence.TemplateRcode},
		{"one that says SERVFAIL where it matches", servfail, evidence.TemplateUnknown},
		{"one of two says SERVFAIL", always + answers, evidence.TemplateUnknown},
		{"the other of two says SERVFAIL", refuses + always, evidence.TemplateUnknown},
		{"an expression may fail", "template IN A {\n expr \"true\"\n answer \"x\"\n}\n", evidence.TemplateUnknown},
		{"no template", "whoami\n", evidence.TemplateNoMatch},
	} {
		t.Run(c.name, func(t *testing.T) {
			blocks, err := preflight.Parse("Corefile", strings.NewReader(".:1053 {\n"+c.templates+"}\n"), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := templateOf(blocks[0]); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}
