package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/figures"
)

func TestTheReportTellsWhoIsHitInACluster(t *testing.T) {
	in := func(namespace, pod string) string {
		return strings.Replace(queryOf("upstream_timeout", "www.example.org."), " qname=", " client_namespace="+namespace+" client_pod="+pod+" qname=", 1)
	}
	r := sumUp(t, Filter{}, in("shop", "checkout-1"), in("shop", "checkout-1"), in("shop", "cart-1"), in("blog", "cart-1"), queryOf("upstream_timeout", "www.example.org."))
	counts := func(top figures.Top) string {
		var all []string
		for _, i := range top.Items {
			all = append(all, fmt.Sprintf("%s %d", i.Key, i.Count))
		}
		return strings.Join(all, ", ")
	}
	if got := counts(r.Namespaces); got != "shop 3, blog 1" {
		t.Errorf("namespaces %s", got)
	}
	if got := counts(r.Pods); got != "shop/checkout-1 2, blog/cart-1 1, shop/cart-1 1" {
		t.Errorf("Pods %s", got)
	}
	if p := r.Pods.Items[0]; p.Mostly != "upstream_timeout" || p.First.IsZero() {
		t.Errorf("%+v", p)
	}
	var b strings.Builder
	if err := r.WriteText(&b, figures.Style{Width: 80}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "WHO IS HIT: NAMESPACES") || !strings.Contains(b.String(), "shop/checkout-1") {
		t.Errorf("the report does not tell:\n%s", b.String())
	}
}

func TestAReasonThatFollowsUpIsADiagnosisAndNoFailure(t *testing.T) {
	const line = `2026-11-20T12:31:00Z [INFO] plugin/ede: reason cause=upstream_ede ede=9 lasts=persistent owner=zone at=forward upstream=192.0.2.53:53 zone=example.org. qname=www.example.org. qtype=A queries=1 duration_seconds=0.001 text="from 192.0.2.53: no key (found 12:31:00Z)" advice=Tell`
	for name, line := range map[string]string{
		"text": line,
		"JSON": `{"time":"2026-11-20T12:31:00Z","level":"INFO","msg":"reason","plugin":"ede","cause":"upstream_ede","ede":[9],"owner":"zone","zone":"example.org.","qname":"www.example.org.","queries":1,"text":"no key"}`,
	} {
		r := sumUp(t, Filter{}, wwwLine, line)
		if r.Failures != 1 || len(r.Findings) != 1 || r.Findings[0].Cause != "upstream_ede" || r.Findings[0].Zone != "example.org." || r.Log.Malformed != 0 {
			t.Errorf("%s: %d failures, findings %+v, log %+v", name, r.Failures, r.Findings, r.Log)
		}
	}
}
