package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestJSONHasAllThatTheTextHas(t *testing.T) {
	out, err := runOn(t, alone+". {\n    nonesuch\n}\n", "-", "--json")
	if !errors.Is(err, ErrFound) {
		t.Fatal(err)
	}
	var got struct {
		Blocks   int
		Mistakes []struct {
			Code, File, Text, Fix string
			Line                  int
			Zones                 []string
		}
		External []struct{ Name string } `json:"external_plugins"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if got.Blocks != 2 || len(got.Mistakes) != 1 || len(got.External) != 1 || got.External[0].Name != "nonesuch" {
		t.Fatalf("%+v", got)
	}
	if m := got.Mistakes[0]; m.Code != "hosts-alone" || m.File != "stdin" || m.Line != 3 || m.Zones[0] != "lab.example." || m.Text == "" || m.Fix == "" {
		t.Errorf("%+v", m)
	}
	if out, err := runOn(t, ". {\n forward . 192.0.2.53\n}\n", "-", "--json"); err != nil || !strings.Contains(out, `"mistakes": []`) {
		t.Errorf("without mistakes: %v\n%s", err, out)
	}
}

func TestJSONHasWhatCouldNotBeRead(t *testing.T) {
	good := filepath.Join(t.TempDir(), "Corefile")
	if err := os.WriteFile(good, []byte(alone), 0o600); err != nil {
		t.Fatal(err)
	}
	for stdin, want := range map[string]string{"": "stdin: empty", "# nothing\n": "no server block", ". {\n hosts {\n": "stdin:", "kind: Secret\n": "no Corefile in it"} {
		out, err := runOn(t, stdin, "-", "--json", filepath.Join(t.TempDir(), "none"), good)
		if err == nil || errors.Is(err, ErrFound) {
			t.Errorf("%q: %v", stdin, err)
		}
		var got struct {
			Mistakes []struct{ Code string }
			Errors   []string
		}
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatal(err)
		}
		if len(got.Mistakes) != 1 || len(got.Errors) != 2 || !strings.Contains(got.Errors[0], want) || !strings.Contains(got.Errors[1], "none: no such file") {
			t.Errorf("%q: %+v", stdin, got)
		}
	}
	if out, err := runOn(t, ". {\n forward . 192.0.2.53\n}\n", "-", "--json"); err != nil || !strings.Contains(out, `"errors": []`) {
		t.Errorf("without errors: %v\n%s", err, out)
	}
}

func TestACodeIsIgnored(t *testing.T) {
	if out, err := runOn(t, alone, "-", "--ignore", "hosts-alone"); err != nil || !strings.Contains(out, "no mistakes") {
		t.Errorf("by the flag: %v\n%s", err, out)
	}
	inBlock := strings.Replace(alone, "    hosts", "    ede {\n        ignore hosts-alone\n    }\n    hosts", 1)
	if out, err := runOn(t, inBlock, "-"); err != nil {
		t.Errorf("by ede's ignore: %v\n%s", err, out)
	}
	if _, err := runOn(t, alone, "-", "--ignore", "nonesuch"); err == nil || errors.Is(err, ErrFound) {
		t.Errorf("a code that is none: %v", err)
	}
	wrong := strings.Replace(inBlock, "ignore hosts-alone", "ignore nonesuch", 1)
	if out, err := runOn(t, wrong, "-"); !errors.Is(err, ErrFound) || !strings.Contains(out, "ignore nonesuch") {
		t.Errorf("a code that is none, in ede: %v\n%s", err, out)
	}
}

func TestSeveralFilesAreEachJudged(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for i, text := range []string{alone, ". {\n    forward . 192.0.2.53\n}\n"} {
		file := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	out, err := run(t, files...)
	if !errors.Is(err, ErrFound) || !strings.Contains(out, "[hosts-alone]") || !strings.Contains(out, "no mistakes found in 1 server block") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := run(t, files[0], filepath.Join(dir, "none")); err == nil || errors.Is(err, ErrFound) || !strings.Contains(out, "[hosts-alone]") {
		t.Errorf("with one that is not there: %v\n%s", err, out)
	}
}

func TestExternalPluginsAreNotedAndTyposNamed(t *testing.T) {
	out, err := runOn(t, ". {\n    k8s_gateway example.org\n}\n", "-")
	if err != nil || !strings.Contains(out, "stdin:2: note: k8s_gateway is no plugin of CoreDNS") {
		t.Errorf("%v\n%s", err, out)
	}
	for _, name := range []string{"idetcd", "redisc", "myetcd", "xhosts2", "logger"} {
		if out, err := runOn(t, ". {\n    "+name+" a\n}\n", "-"); err != nil || !strings.Contains(out, "note: "+name+" is no plugin of CoreDNS") {
			t.Errorf("%v\n%s", err, out)
		}
	}
	for wrong, right := range map[string]string{"forwrad": "forward", "host": "hosts", "kubernets": "kubernetes", "cahce": "cache", "templates": "template"} {
		out, err := runOn(t, ". {\n    "+wrong+" a\n    forward . 192.0.2.53\n}\n", "-")
		if !errors.Is(err, ErrFound) || !strings.Contains(out, "write `"+right+"`") {
			t.Errorf("%s: %v\n%s", wrong, err, out)
		}
	}
	out, err = runOn(t, ". {\n    proxy . 192.0.2.53\n    kubernetes cluster.local {\n        upstream\n    }\n}\n", "-")
	if !errors.Is(err, ErrFound) || !strings.Contains(out, "write `forward`") || !strings.Contains(out, "property upstream of kubernetes") {
		t.Errorf("%v\n%s", err, out)
	}
}
