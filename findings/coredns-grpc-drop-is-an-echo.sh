#!/usr/bin/env bash
# CoreDNS v1.15.0, server for grpc://: where a plugin drops a query, as acl does with `drop`,
# the client gets its own query back as the answer: no QR bit, no rcode, the same octets. Over
# UDP it gets nothing, over TCP the connection ends.
#
# core/dnsserver/server_grpc.go packs the message of its writer, which is the query until a
# plugin writes another one.
#
# Seen on 2026-11-29: the reply equals the query octet by octet. The script fails if that
# changes.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >main.go <<'GO'
package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/coredns/caddy"
	_ "github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/pb"
	_ "github.com/coredns/coredns/plugin/acl"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/whoami"
	"github.com/miekg/dns"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

func main() {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	addr := free.Addr().(*net.TCPAddr)
	free.Close()
	corefile := fmt.Sprintf("grpc://.:%d {\n bind 127.0.0.1\n acl {\n drop net 127.0.0.0/8\n }\n whoami\n}\n", addr.Port)
	caddy.Quiet = true
	server, err := caddy.Start(caddy.CaddyfileInput{Filepath: "Corefile", Contents: []byte(corefile), ServerTypeName: "dns"})
	check(err)
	defer server.Stop()
	conn, err := grpc.NewClient(addr.String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	check(err)
	query, err := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA).Pack()
	check(err)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	reply, err := pb.NewDnsServiceClient(conn).Query(ctx, &pb.DnsPacket{Msg: query})
	check(err)
	same := bytes.Equal(reply.GetMsg(), query)
	fmt.Printf("a dropped query over gRPC: the reply is the query: %v\n", same)
	if !same {
		os.Exit(1)
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/coredns/coredns@v1.15.0 github.com/coredns/caddy@v1.1.4 github.com/miekg/dns@v1.1.73 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go run .
