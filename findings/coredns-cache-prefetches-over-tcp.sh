#!/usr/bin/env bash
# CoreDNS v1.15.0, cache with `prefetch` above forward: clients ask over UDP, and forward asks
# the upstream over UDP for them, but what cache fetches before it expires is asked over TCP.
# Where the path to the upstream loses TCP, or the upstream does not listen there, prefetch
# never works: each popular name expires, and the failed attempts are told nowhere.
#
# cache gives the plugins below a writer whose remote address is a TCP one (newPrefetch-
# ResponseWriter in plugin/cache/cache.go), and forward takes the transport from that. With
# `prefer_udp` in forward it asks over UDP first.
#
# Seen on 2026-12-01:
#   forward: the upstream was asked over UDP 1 times, over TCP 1 times
#   forward with prefer_udp: the upstream was asked over UDP 2 times, over TCP 0 times
# The script fails if that changes.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >main.go <<'GO'
package main

import (
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/coredns/caddy"
	_ "github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/forward"
	"github.com/miekg/dns"
)

func main() {
	ok := asked("forward", "", 1, 1)
	if !asked("forward with prefer_udp", "prefer_udp", 2, 0) || !ok {
		os.Exit(1)
	}
}

// asked reports whether the upstream is asked that often over UDP and over TCP, while a client
// asks for one name over UDP until cache fetches it again.
func asked(name, option string, wantUDP, wantTCP int64) bool {
	var udp, tcp atomic.Int64
	answer := func(w dns.ResponseWriter, r *dns.Msg) {
		if _, datagrams := w.RemoteAddr().(*net.UDPAddr); datagrams {
			udp.Add(1)
		} else {
			tcp.Add(1)
		}
		m := new(dns.Msg).SetReply(r)
		rr, err := dns.NewRR(r.Question[0].Name + " 60 IN A 192.0.2.1")
		check(err)
		m.Answer = []dns.RR{rr}
		_ = w.WriteMsg(m)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	packets, err := net.ListenPacket("udp", listener.Addr().String())
	check(err)
	for _, s := range []*dns.Server{{Listener: listener, Handler: dns.HandlerFunc(answer)}, {PacketConn: packets, Handler: dns.HandlerFunc(answer)}} {
		go s.ActivateAndServe()
		defer s.Shutdown()
	}
	free, err := net.ListenPacket("udp", "127.0.0.1:0")
	check(err)
	addr := free.LocalAddr().(*net.UDPAddr)
	free.Close()
	corefile := fmt.Sprintf(".:%d {\n bind 127.0.0.1\n cache {\n  prefetch 1 1m 90%%\n }\n forward . %s {\n  %s\n }\n}\n", addr.Port, listener.Addr(), option)
	caddy.Quiet = true
	server, err := caddy.Start(caddy.CaddyfileInput{Filepath: "Corefile", Contents: []byte(corefile), ServerTypeName: "dns"})
	check(err)
	defer server.Stop()
	for range 150 {
		_, err := dns.Exchange(new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA), addr.String())
		check(err)
		if udp.Load()+tcp.Load() > 1 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	fmt.Printf("%s: the upstream was asked over UDP %d times, over TCP %d times\n", name, udp.Load(), tcp.Load())
	return udp.Load() == wantUDP && tcp.Load() == wantTCP
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
