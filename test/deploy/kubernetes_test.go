package deploy_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// objects decodes manifests into the types of the Kubernetes API. A key that
// the API does not have, or one that stands twice, fails the test.
func objects(t *testing.T, manifests string) []runtime.Object {
	t.Helper()
	strict := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme.Scheme, scheme.Scheme,
		json.SerializerOptions{Yaml: true, Strict: true})
	var all []runtime.Object
	for document := range strings.SplitSeq(manifests, "\n---\n") {
		o, _, err := strict.Decode([]byte(document), nil, nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, document)
		}
		all = append(all, o)
	}
	return all
}

// only returns the object of type T, of which there is one.
func only[T runtime.Object](t *testing.T, all []runtime.Object) T {
	t.Helper()
	var found []T
	for _, o := range all {
		if f, ok := o.(T); ok {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d objects of type %T, want 1", len(found), *new(T))
	}
	return found[0]
}

// base is what kustomize makes of deploy/kubernetes/base.
func base(t *testing.T) []runtime.Object {
	t.Helper()
	c := exec.Command("go", "tool", "-modfile="+absolute(t, "tools/go.mod"), "kustomize", "build", absolute(t, "deploy/kubernetes/base"))
	var failed bytes.Buffer
	c.Stderr = &failed
	out, err := c.Output()
	if err != nil {
		t.Fatalf("kustomize build: %v\n%s", err, &failed)
	}
	return objects(t, strings.TrimSuffix(string(out), "\n"))
}

func TestAManifestWithAnUnknownKeyIsNotAccepted(t *testing.T) {
	strict := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme.Scheme, scheme.Scheme,
		json.SerializerOptions{Yaml: true, Strict: true})
	const service = "apiVersion: v1\nkind: Service\nspec:\n  selectors: {k8s-app: coredns-ede}\n"
	if _, _, err := strict.Decode([]byte(service), nil, nil); err == nil || !strings.Contains(err.Error(), `"spec.selectors"`) {
		t.Errorf("error %v", err)
	}
}

func TestThePartsOfTheBaseFitTogether(t *testing.T) {
	all := base(t)
	deployment := only[*appsv1.Deployment](t, all)
	pod := deployment.Spec.Template
	container := pod.Spec.Containers[0]

	for what, selector := range map[string]*metav1.LabelSelector{
		"the Deployment": deployment.Spec.Selector,
		"the budget":     only[*policyv1.PodDisruptionBudget](t, all).Spec.Selector,
		"the Service":    {MatchLabels: only[*corev1.Service](t, all).Spec.Selector},
		"the anti-affinity": pod.Spec.Affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution[0].
			PodAffinityTerm.LabelSelector,
		"the spread": pod.Spec.TopologySpreadConstraints[0].LabelSelector,
	} {
		s, err := metav1.LabelSelectorAsSelector(selector)
		if err != nil || s.Empty() || !s.Matches(labels.Set(pod.Labels)) {
			t.Errorf("%s selects %v, which the pod's %v are not: %v", what, selector, pod.Labels, err)
		}
	}

	ports := make(map[string]int32)
	for _, p := range container.Ports {
		ports[p.Name] = p.ContainerPort
	}
	for _, p := range only[*corev1.Service](t, all).Spec.Ports {
		if ports[p.TargetPort.String()] != p.Port {
			t.Errorf("the Service's port %s is %d, the container's %s is %d", p.Name, p.Port, p.TargetPort.String(), ports[p.TargetPort.String()])
		}
	}

	account := only[*corev1.ServiceAccount](t, all)
	binding := only[*rbacv1.ClusterRoleBinding](t, all)
	if s := binding.Subjects[0]; s.Name != account.Name || s.Namespace != account.Namespace || pod.Spec.ServiceAccountName != account.Name {
		t.Errorf("account %s/%s, bound %s/%s, the pod's %s", account.Namespace, account.Name, s.Namespace, s.Name, pod.Spec.ServiceAccountName)
	}
	if role := only[*rbacv1.ClusterRole](t, all); binding.RoleRef.Name != role.Name {
		t.Errorf("the binding is to %s, the role is %s", binding.RoleRef.Name, role.Name)
	}
	if name := pod.Spec.Volumes[0].ConfigMap.Name; name != only[*corev1.ConfigMap](t, all).Name {
		t.Errorf("the pod mounts the ConfigMap %s", name)
	}
	if !strings.HasSuffix(container.Image, "/coredns-ede:1.15.0-ede0.1.0") {
		t.Errorf("image %s: kustomization.yaml does not set it", container.Image)
	}
}

func TestTheBaseIsAsConfinedAsTheImageAllows(t *testing.T) {
	deployment := only[*appsv1.Deployment](t, base(t))
	pod := deployment.Spec.Template.Spec
	container := pod.Containers[0]
	if got := *pod.SecurityContext.RunAsNonRoot; !got || *pod.SecurityContext.RunAsUser != 65532 {
		t.Errorf("the pod may run as root, or not as the image's user: %+v", pod.SecurityContext)
	}
	want := &corev1.Capabilities{Add: []corev1.Capability{"NET_BIND_SERVICE"}, Drop: []corev1.Capability{"ALL"}}
	if c := container.SecurityContext; !*c.ReadOnlyRootFilesystem || *c.AllowPrivilegeEscalation || !reflect.DeepEqual(c.Capabilities, want) {
		t.Errorf("the container's security context is %+v", c)
	}
	requests := corev1.ResourceList{"cpu": resource.MustParse("100m"), "memory": resource.MustParse("70Mi")}
	limits := corev1.ResourceList{"memory": resource.MustParse("170Mi")}
	if !reflect.DeepEqual(container.Resources.Limits, limits) || !reflect.DeepEqual(container.Resources.Requests, requests) {
		t.Errorf("resources %+v, want those of CoreDNS's manifest, and no limit of the CPU", container.Resources)
	}
	var chart chartValues
	if err := yaml.UnmarshalStrict([]byte(read(t, "deploy/kubernetes/values.yaml")), &chart); err != nil {
		t.Fatal(err)
	}
	if limit := chart.Resources.Limits; limit["cpu"] != nil || *limit["memory"] != "170Mi" {
		t.Errorf("the chart's limits are %v", limit)
	}
	if container.LivenessProbe.HTTPGet.Path != "/health" || container.ReadinessProbe.HTTPGet.Path != "/ready" {
		t.Errorf("probes %v and %v", container.LivenessProbe, container.ReadinessProbe)
	}
	if *deployment.Spec.Replicas < 2 {
		t.Errorf("%d replicas: an update or a lost node takes DNS away", *deployment.Spec.Replicas)
	}
}

func TestTheClusterHasTheCorefileOfTheExample(t *testing.T) {
	_, example, _ := strings.Cut(read(t, "examples/kubernetes.corefile"), "\n.:53 {")
	if got := only[*corev1.ConfigMap](t, base(t)).Data["Corefile"]; got != ".:53 {"+example {
		t.Errorf("base/configmap.yaml differs from examples/kubernetes.corefile:\n%s", got)
	}
}

// chartValues is the part of the values of the coredns/helm chart that
// values.yaml uses. The chart takes any key and ignores those that it does not
// know, so that only a test finds a wrong one.
type chartValues struct {
	Image struct {
		Repository, Tag string
	} `json:"image"`
	ReplicaCount        int    `json:"replicaCount"`
	PriorityClassName   string `json:"priorityClassName"`
	PodDisruptionBudget policyv1.PodDisruptionBudgetSpec
	ServiceAccount      struct {
		Create bool `json:"create"`
	} `json:"serviceAccount"`
	PodSecurityContext corev1.PodSecurityContext `json:"podSecurityContext"`
	Env                []corev1.EnvVar           `json:"env"`
	Affinity           corev1.Affinity           `json:"affinity"`
	Resources          struct {
		Requests map[string]string  `json:"requests"`
		Limits   map[string]*string `json:"limits"`
	} `json:"resources"`
	Prometheus struct {
		Service struct {
			Enabled bool `json:"enabled"`
		} `json:"service"`
	} `json:"prometheus"`
	Servers []struct {
		Zones []struct {
			Zone   string `json:"zone"`
			UseTCP bool   `json:"use_tcp"`
		} `json:"zones"`
		Port    int `json:"port"`
		Plugins []struct {
			Name        string `json:"name"`
			Parameters  any    `json:"parameters"`
			ConfigBlock string `json:"configBlock"`
		} `json:"plugins"`
	} `json:"servers"`
}

// chartCorefile writes a Corefile out of values as the chart does.
func chartCorefile(t *testing.T, values string) string {
	t.Helper()
	var v chartValues
	if err := yaml.UnmarshalStrict([]byte(values), &v); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, s := range v.Servers {
		for _, z := range s.Zones {
			fmt.Fprintf(&b, "%s:%d ", z.Zone, s.Port)
		}
		b.WriteString("{\n")
		for _, p := range s.Plugins {
			b.WriteString("    " + p.Name)
			if p.Parameters != nil {
				fmt.Fprintf(&b, " %v", p.Parameters)
			}
			if p.ConfigBlock != "" {
				b.WriteString(" {\n        " + strings.ReplaceAll(p.ConfigBlock, "\n", "\n        ") + "\n    }")
			}
			b.WriteString("\n")
		}
		b.WriteString("}\n")
	}
	return b.String()
}

func TestTheValuesOfTheChartStartAndExplain(t *testing.T) {
	starts(t, chartCorefile(t, read(t, "deploy/kubernetes/values.yaml")), nobody, cluster)
}

// imports is a Corefile in the manner of k3s and AKS, which import what
// coredns-custom holds.
const imports = `.:53 {
    errors
    health
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
    import custom/*.override
}
import custom/*.server
`

var imported = regexp.MustCompile(`(?m)^\s*import custom/\*(\.\w+)$`)

func TestTheCustomConfigMapsStartAndExplain(t *testing.T) {
	const corp = "www.corp.example.org."
	for path, expected := range map[string][]expectation{
		"k3s": append([]expectation{{name: corp, rcode: "SERVFAIL", cause: "upstream_unreachable",
			edes: []string{"23 the upstream cannot be reached"}}}, cluster...),
		// The CoreDNS there has no ede.
		"aks": {{name: corp, rcode: "SERVFAIL"}},
	} {
		t.Run(path, func(t *testing.T) {
			custom := only[*corev1.ConfigMap](t, objects(t, read(t, "deploy/kubernetes/"+path+"/coredns-custom.yaml")))
			if custom.Name != "coredns-custom" || custom.Namespace != "kube-system" {
				t.Errorf("%s/%s", custom.Namespace, custom.Name)
			}
			used := 0
			corefile := imported.ReplaceAllStringFunc(imports, func(line string) string {
				var b strings.Builder
				for key, text := range custom.Data {
					if filepath.Ext(key) == imported.FindStringSubmatch(line)[1] {
						used++
						b.WriteString(text)
					}
				}
				return b.String()
			})
			if used != len(custom.Data) {
				t.Errorf("%d of %d keys are imported", used, len(custom.Data))
			}
			starts(t, corefile, nobody, expected)
		})
	}
}

func TestEveryManifestIsTested(t *testing.T) {
	tested := map[string]bool{"values.yaml": true, "k3s/coredns-custom.yaml": true, "aks/coredns-custom.yaml": true}
	root := absolute(t, "deploy/kubernetes")
	kustomization := read(t, "deploy/kubernetes/base/kustomization.yaml")
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		name, err := filepath.Rel(root, path)
		name = filepath.ToSlash(name)
		if file, ok := strings.CutPrefix(name, "base/"); ok {
			if file != "kustomization.yaml" && !strings.Contains(kustomization, "  - "+file+"\n") {
				t.Errorf("kustomization.yaml does not have %s", file)
			}
		} else if !tested[name] {
			t.Errorf("no test reads %s", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
