#!/usr/bin/env bash
# CoreDNS v1.15.0, plugin prometheus: the label `plugin` of coredns_dns_responses_total is
# documented as the plugin that made the response. It is always the plugin that stands right
# after prometheus in the chain, whoever answered.
#
# plugin.NextOrFailure wraps the writer once for each plugin, and each wrapper looks for
# prometheus's recorder in the writer directly below it. Only the outermost wrapper finds it.
#
# Seen on 2026-11-29: three plugins in a chain, the third one answers, and the recorder says
# "first". The script fails if that changes.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/plugin/test"
	"github.com/miekg/dns"
)

type link struct {
	name string
	next plugin.Handler
}

func (l link) Name() string { return l.name }

func (l link) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if l.next != nil {
		return plugin.NextOrFailure(l.name, l.next, ctx, w, r)
	}
	return dns.RcodeSuccess, w.WriteMsg(new(dns.Msg).SetReply(r))
}

func main() {
	chain := link{"first", link{"second", link{"third", nil}}}
	recorder := metrics.NewRecorder(&test.ResponseWriter{})
	query := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
	_, _ = plugin.NextOrFailure("prometheus", chain, context.Background(), recorder, query)
	fmt.Printf("third answered, the label is %q\n", recorder.Plugin)
	if recorder.Plugin != "first" {
		os.Exit(1)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/coredns/coredns@v1.15.0 github.com/miekg/dns@v1.1.73 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go run .
