package deploy_test

import (
	"os/exec"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func TestBuildRefusesVersionsThatDoNotFit(t *testing.T) {
	for version, reason := range map[string]string{
		"1.14.1": "clog.InfoAttrs",
		"v1.9.4": "clog.InfoAttrs",
		"1.16.0": "newer",
		"latest": "no version of CoreDNS",
	} {
		t.Run(version, func(t *testing.T) {
			out, err := exec.Command(program(t, "bash"), absolute(t, "deploy/build.sh"), version).CombinedOutput()
			if err == nil || !strings.Contains(string(out), reason) {
				t.Errorf("error %v, output %q, want a refusal with %q", err, out, reason)
			}
		})
	}
}

func TestTheClusterHasTheCorefileOfTheExample(t *testing.T) {
	var m struct{ Data map[string]string }
	if err := yaml.Unmarshal([]byte(read(t, "deploy/kubernetes/base/configmap.yaml")), &m); err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(read(t, "examples/kubernetes.corefile"), "\n.:53 {")
	if got := m.Data["Corefile"]; got != ".:53 {"+example {
		t.Errorf("base/configmap.yaml differs from examples/kubernetes.corefile:\n%s", got)
	}
}
