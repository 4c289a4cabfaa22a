#!/usr/bin/env bash
# CoreDNS v1.15.0, plugin kubernetes for the zone "." (in a block for "." that is its zone if
# none is named): the PTR of a Service has two dots at its end, "kube-dns.kube-system.svc..".
# This is no valid name, so the reply cannot be packed. The client gets no answer at all, and waits until its timeout.
# The plugin does not look at the error of the write: it returns NOERROR, and the log has
# nothing. With the zone cluster.local the same PTR query is answered.
#
# plugin/kubernetes/reverse.go joins the labels and the zone with dots, and the zone is ".".
#
# Seen on 2026-11-30: a timeout for ".", "kube-dns.kube-system.svc.cluster.local." for
# cluster.local. An A query for the same Service is answered in both. The script fails if
# that changes.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	"github.com/miekg/dns"
)

// api is a cluster with one Service, 192.0.2.10. It lists what it has, and nothing changes.
func api(w http.ResponseWriter, r *http.Request) {
	lists := map[string]string{
		"/api/v1/namespaces": `{"kind":"NamespaceList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[
			{"metadata":{"name":"kube-system","uid":"2","resourceVersion":"1"}}]}`,
		"/api/v1/services": `{"kind":"ServiceList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[
			{"metadata":{"name":"kube-dns","namespace":"kube-system","uid":"1","resourceVersion":"1"},
			 "spec":{"type":"ClusterIP","clusterIP":"192.0.2.10","clusterIPs":["192.0.2.10"],"ports":[{"name":"dns","port":53,"protocol":"UDP"}]}}]}`,
		"/apis/discovery.k8s.io/v1/endpointslices": `{"kind":"EndpointSliceList","apiVersion":"discovery.k8s.io/v1","metadata":{"resourceVersion":"1"},"items":[]}`,
	}
	list, known := lists[r.URL.Path]
	w.Header().Set("Content-Type", "application/json")
	switch {
	case !known:
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`)
	case r.URL.Query().Get("sendInitialEvents") == "true":
		w.WriteHeader(http.StatusUnprocessableEntity)
		io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Invalid","code":422}`)
	case r.URL.Query().Get("watch") != "":
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	default:
		io.WriteString(w, list)
	}
}

// ask returns the name or address of the one answer, or the error.
func ask(server, name string, qtype uint16) string {
	client := dns.Client{Timeout: 2 * time.Second}
	reply, _, err := client.Exchange(new(dns.Msg).SetQuestion(name, qtype), server)
	switch {
	case err != nil:
		return "no answer: " + err.Error()
	case len(reply.Answer) != 1:
		return dns.RcodeToString[reply.Rcode]
	}
	if ptr, ok := reply.Answer[0].(*dns.PTR); ok {
		return ptr.Ptr
	}
	return reply.Answer[0].(*dns.A).A.String()
}

func main() {
	dnsserver.Quiet = true
	cluster := httptest.NewServer(http.HandlerFunc(api))
	changed := false
	for _, c := range []struct{ zones, service, ptr string }{
		{"cluster.local in-addr.arpa", "kube-dns.kube-system.svc.cluster.local.", "kube-dns.kube-system.svc.cluster.local."},
		{".", "kube-dns.kube-system.svc.", ""},
	} {
		corefile := fmt.Sprintf(".:0 {\n bind 127.0.0.1\n kubernetes %s {\n endpoint %s\n }\n}\n", c.zones, cluster.URL)
		server, err := caddy.Start(caddy.CaddyfileInput{Contents: []byte(corefile), ServerTypeName: "dns"})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		addr := server.Servers()[0].LocalAddr().String()
		a, ptr := ask(addr, c.service, dns.TypeA), ask(addr, "10.2.0.192.in-addr.arpa.", dns.TypePTR)
		fmt.Printf("kubernetes %s: A %s, PTR %s\n", c.zones, a, ptr)
		silent := len(ptr) > 10 && ptr[:10] == "no answer:"
		changed = changed || a != "192.0.2.10" || (c.ptr == "") != silent || !silent && ptr != c.ptr
		server.Stop()
	}
	if changed {
		os.Exit(1)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/coredns/coredns@v1.15.0 github.com/miekg/dns@v1.1.73 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go run .
