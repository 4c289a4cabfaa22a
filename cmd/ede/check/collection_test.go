package check

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// named is a ConfigMap with one key, whose text begins in its sixth line.
func named(metadata, key, text string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {" + metadata + "}\ndata:\n  " + key + ": |\n    " +
		strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    ") + "\n"
}

// listOf is what kubectl prints of several objects.
func listOf(objects ...string) string {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nitems:\n")
	for _, o := range objects {
		b.WriteString("- " + strings.ReplaceAll(strings.TrimSuffix(o, "\n"), "\n", "\n  ") + "\n")
	}
	return b.String() + "kind: List\nmetadata:\n  resourceVersion: \"\"\n"
}

const clean = ".:53 {\n    forward . 192.0.2.53\n}\n"

func TestKeysOfOtherProgramsAreNoCorefile(t *testing.T) {
	unrelated := []string{
		named("name: app, namespace: app", "redis.server", "redis.default.svc:6379"),
		named("name: app, namespace: kube-system", "redis.server", "redis.default.svc:6379"),
		named("name: app", "jvm.override", "-Xmx2g"),
		"kind: Secret\nmetadata: {name: s}\nstringData:\n  smtp.server: mail.example.org\n",
		"kind: Deployment\nspec:\n  template:\n    metadata:\n      annotations:\n        proxy.override: \"yes\"\n",
	}
	corefile := named("name: coredns, namespace: kube-system", "Corefile", clean)
	out, err := runOn(t, listOf(append(unrelated, corefile)...), "-")
	if err != nil || strings.Count(out, "\n") != 1 || !strings.Contains(out, "no mistakes found in 1 server block") {
		t.Errorf("next to a Corefile: %v\n%s", err, out)
	}
	out, err = runOn(t, strings.Join(unrelated, "---\n"), "-")
	if err == nil || errors.Is(err, ErrFound) || !strings.Contains(err.Error(), "no Corefile in it") {
		t.Errorf("without a Corefile: %v\n%s", err, out)
	}
	out, err = runOn(t, "spring:\n  redis.server: redis:6379\nkind: x\n", "-")
	if err == nil || errors.Is(err, ErrFound) || !strings.Contains(err.Error(), "no Corefile in it") {
		t.Errorf("settings of a program: %v\n%s", err, out)
	}
}

func TestTheConfigMapsThatACorefileImportsAreKnown(t *testing.T) {
	for name, text := range map[string]string{
		"by its name":                named("name: coredns-custom, namespace: kube-system", "lab.server", alone),
		"without a namespace":        named("name: coredns-custom", "lab.server", alone),
		"with the hash of a build":   named("name: coredns-custom-6ct58987ht", "lab.server", alone),
		"without a name":             named("", "lab.server", alone),
		"its data alone":             "a.override: log\nlab.server: |\n    " + strings.ReplaceAll(alone, "\n", "\n    ") + "\n",
		"in a list, next to another": listOf(named("name: app", "a.server", "x:1"), named("name: coredns-custom", "lab.server", alone)),
	} {
		if out, err := runOn(t, text, "-"); !errors.Is(err, ErrFound) || !strings.Contains(out, "[hosts-alone]") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// A Corefile imports what is of its own namespace.
func TestTheClustersOfAListAreJudgedApart(t *testing.T) {
	cluster := func(namespace, server string) []string {
		return []string{
			named("name: coredns, namespace: "+namespace, "Corefile", clean+"import /etc/coredns/custom/*.server"),
			named("name: coredns-custom, namespace: "+namespace, "x.server", server),
		}
	}
	const stub = "example.org:53 {\n    forward . 192.0.2.53\n}\n"
	out, err := runOn(t, listOf(append(cluster("kube-system", stub), cluster("other", stub)...)...), "-")
	if err != nil || strings.Count(out, "no mistakes found in 2 server blocks") != 2 {
		t.Errorf("two namespaces: %v\n%s", err, out)
	}
	out, err = runOn(t, listOf(append(cluster("kube-system", stub), cluster("kube-system", stub)[1])...), "-")
	if !errors.Is(err, ErrFound) || !strings.Contains(out, "[zone-twice]") {
		t.Errorf("one namespace: %v\n%s", err, out)
	}
	var apart []string
	for i := range 2 {
		apart = append(apart, named(fmt.Sprintf("name: coredns-custom, namespace: n%d", i), "x.server", stub))
	}
	out, err = runOn(t, listOf(apart...), "-")
	if err != nil || strings.Count(out, "no mistakes found in 2 server blocks") != 2 {
		t.Errorf("two namespaces without Corefiles: %v\n%s", err, out)
	}
}

// corefileWith is a Corefile whose operator adds to it above or below forward.
func corefileWith(above, below string) string {
	return ".:53 {\n    errors\n    kubernetes cluster.local in-addr.arpa ip6.arpa {\n        fallthrough in-addr.arpa ip6.arpa\n    }\n    " +
		above + "\n    forward . /etc/resolv.conf\n    " + below + "\n}\nimport custom/*.server\n"
}

func TestAnOverrideIsJudgedWithTheCorefileThatImportsIt(t *testing.T) {
	const imports = "import /etc/coredns/custom/*.override"
	in := func(corefile, override string) string {
		return listOf(named("name: coredns, namespace: kube-system", "Corefile", corefile),
			named("name: coredns-custom, namespace: kube-system", "my.override", override))
	}
	unknown := func(override string) string { return named("name: coredns-custom", "my.override", override) }
	const upstream, stub, zone = "forward . 192.0.2.53", "forward example.org 192.0.2.53", "template IN A example.org {\n    match ^x\n    rcode NXDOMAIN\n}"
	for name, test := range map[string]struct{ text, want string }{
		"a forward in place of the Corefile's": {in(corefileWith(imports, ""), upstream), ""},
		"a forward below the Corefile's":       {in(corefileWith("", imports), upstream), "stdin:23: forward is never asked"},
		"a stub above the forward":             {in(corefileWith(imports, ""), stub), ""},
		"a stub below the forward":             {in(corefileWith("", imports), stub), "stdin:23: forward is never asked"},
		"a mistake of the Corefile":            {in(corefileWith(imports, "forward . 192.0.2.54"), "log"), "stdin:15: forward is never asked"},
		"a forward, not known where":           {unknown(upstream), ""},
		"a stub, not known where":              {unknown(stub), ""},
		"two forwards, not known where":        {unknown(upstream + "\n" + stub), "stdin:7: forward is never asked"},
		"a whoami, not known where":            {unknown("whoami"), "stdin:6: whoami is never asked: kubernetes (the Corefile of the cluster) and forward (the Corefile of the cluster) answer all names that could reach it (in the block of \".:53\"): write a block for the names that it is meant for in a key that ends in `.server`"},
		"a template in place of forward":       {in(corefileWith(imports, ""), "log\ntemplate ANY ANY {\n    rcode NXDOMAIN\n}"), ""},
		"names without an answer":              {unknown(zone), "stdin:6: template has no fallthrough"},
	} {
		out, err := runOn(t, test.text, "-")
		if test.want == "" && (err != nil || !strings.Contains(out, "no mistakes")) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		if test.want != "" && (!errors.Is(err, ErrFound) || !strings.HasPrefix(out, test.want) || strings.Count(out, "[") != 1) {
			t.Errorf("%s: want %q: %v\n%s", name, test.want, err, out)
		}
		if strings.Contains(out, "(default Corefile):") && test.want != "" {
			t.Errorf("%s: a line that nobody has:\n%s", name, out)
		}
	}
}

// k3s has hosts of its own. An override cannot have it again.
func TestAPluginTwiceIsShownInTheOverride(t *testing.T) {
	const own = "hosts /etc/coredns/NodeHosts {\n        fallthrough\n    }\n    import /etc/coredns/custom/*.override"
	const override = "hosts {\n    192.0.2.5 nas.example.org\n    fallthrough\n}"
	text := listOf(named("name: coredns, namespace: kube-system", "Corefile", corefileWith(own, "")),
		named("name: coredns-custom, namespace: kube-system", "my.override", override))
	out, err := runOn(t, text, "-")
	if !errors.Is(err, ErrFound) || !strings.Contains(out, "stdin:26: hosts stands in this block twice, also in line 13:") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := runOn(t, named("name: coredns-custom", "my.override", override), "-"); err != nil {
		t.Errorf("not known where: %v\n%s", err, out)
	}
	out, err = runOn(t, named("name: coredns-custom", "my.override", "cache 60"), "-")
	if !errors.Is(err, ErrFound) || !strings.Contains(out, "stdin:6: cache stands in this block twice, also in the Corefile of the cluster: CoreDNS does not start") || !strings.Contains(out, "remove it, or write it in a block") {
		t.Errorf("in all clusters: %v\n%s", err, out)
	}
}

func TestALineOfAnotherFileIsNamedWithIt(t *testing.T) {
	const server = ".:53 {\n    forward . 192.0.2.53\n}"
	out, err := runOn(t, named("name: coredns-custom", "all.server", server), "-")
	if !errors.Is(err, ErrFound) || !strings.Contains(out, "stdin:6: ") || !strings.Contains(out, "as in the block of the Corefile of the cluster:") {
		t.Errorf("the Corefile of the cluster: %v\n%s", err, out)
	}
	out, err = runOn(t, `{"kind": "ConfigMap", "metadata": {"name": "coredns"}, "data": {
		"Corefile": "# mine\n.:53 {\n    forward . 192.0.2.53\n}\nimport custom/*.server\n",
		"all.server": ".:53 {\n    forward . 192.0.2.53\n}\n"}}`, "-")
	if !errors.Is(err, ErrFound) || !strings.Contains(out, "stdin:3:all.server:1: ") || !strings.Contains(out, "as in the block of line 2 of stdin:2:Corefile:") {
		t.Errorf("two keys of JSON: %v\n%s", err, out)
	}
}

func TestAnchorsOfYAMLAreFollowed(t *testing.T) {
	block := "&cf |\n  " + strings.ReplaceAll(strings.TrimSuffix(alone, "\n"), "\n", "\n  ") + "\n"
	for name, text := range map[string]string{
		"a value":         "x: " + block + "kind: ConfigMap\ndata:\n  Corefile: *cf\n",
		"a mapping":       "x: &data\n  Corefile: " + strings.ReplaceAll(block, "\n  ", "\n    ") + "kind: ConfigMap\ndata: *data\n",
		"a merged key":    "x: &data\n  Corefile: " + strings.ReplaceAll(block, "\n  ", "\n    ") + "kind: ConfigMap\ndata:\n  <<: *data\n",
		"name of a key":   "x: " + block + "kind: ConfigMap\nmetadata: &m {name: coredns-custom}\ndata: {a.server: *cf}\n",
		"a custom's name": "x: " + block + "y: &m {name: coredns-custom}\nkind: ConfigMap\nmetadata: *m\ndata: {a.server: *cf}\n",
	} {
		out, err := runOn(t, text, "-")
		if !errors.Is(err, ErrFound) || strings.Count(out, "[hosts-alone]") != 1 || !strings.HasPrefix(out, "stdin:4: ") && !strings.HasPrefix(out, "stdin:5: ") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	var laughs strings.Builder // each level has ten of the one before
	laughs.WriteString("kind: ConfigMap\na0: &a0 [{}]\n")
	for i := range 9 {
		fmt.Fprintf(&laughs, "a%d: &a%d [%s*a%d]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d,", i), 9), i)
	}
	if out, err := runOn(t, laughs.String(), "-"); err == nil || errors.Is(err, ErrFound) {
		t.Errorf("aliases of aliases: %v\n%s", err, out)
	}
}

// The key that begins as a Corefile's does is a part of one, too.
func TestAPartMayBeCalledCorefile(t *testing.T) {
	out, err := runOn(t, named("name: coredns-custom", "Corefile.override", "forward . 192.0.2.1 192.0.2.2"), "-")
	if err != nil || !strings.Contains(out, "no mistakes found") {
		t.Errorf("%v\n%s", err, out)
	}
}

// What is wrong in a part alone is told in each cluster.
func TestAPartIsJudgedByItself(t *testing.T) {
	const swapped = "hosts {\n    nas.example.org 192.0.2.5\n    fallthrough\n}"
	out, err := runOn(t, named("name: coredns-custom", "my.override", swapped), "-")
	if !errors.Is(err, ErrFound) || !strings.Contains(out, "stdin:7: hosts passes over the line") {
		t.Errorf("a line of hosts: %v\n%s", err, out)
	}
	_, err = runOn(t, named("name: coredns-custom", "my.override", "forward . 192.0.2.53 {\n    max_fails 0"), "-")
	if err == nil || !strings.HasPrefix(err.Error(), "stdin:6 - the `{` of this line is not closed") {
		t.Errorf("a brace: %v", err)
	}
}

// The values of a Secret and of binaryData are written in Base64.
func TestACorefileInBase64IsRead(t *testing.T) {
	value := base64.StdEncoding.EncodeToString([]byte(alone))
	for _, text := range []string{
		"kind: ConfigMap\nmetadata: {name: coredns}\nbinaryData:\n  Corefile: " + value + "\n",
		"kind: Secret\nmetadata: {name: coredns}\ndata:\n  Corefile: |\n    " + value[:20] + "\n    " + value[20:] + "\n",
	} {
		out, err := runOn(t, text, "-")
		if !errors.Is(err, ErrFound) || !strings.Contains(out, "stdin:4:Corefile:3: ") {
			t.Errorf("%v\n%s%s", err, text, out)
		}
	}
	if out, err := runOn(t, "kind: Secret\ndata:\n  Corefile: '. {}'\n", "-"); err == nil || errors.Is(err, ErrFound) {
		t.Errorf("no Base64: %v\n%s", err, out)
	}
}
