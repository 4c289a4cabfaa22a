#!/usr/bin/env bash
# miekg/dns v1.1.73: RRSIG.Sign returns "dns: bad key" for a key whose tag is 0, before it signs
# anything. 0 is a key tag like any other (RFC 4034 appendix B), and about one key in 65,536
# has this tag. DNSKEY.Generate makes such keys without a word; whoever signs with this library
# cannot use them.
#
# Seen on 2026-11-30 with ED25519 keys: "tag 0: dns: bad key", "any other tag: signs". The
# script makes keys until it has one with the tag 0, and fails if that changes.
set -euo pipefail
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
cat >main.go <<'GO'
package main

import (
	"crypto"
	"fmt"
	"os"

	"github.com/miekg/dns"
)

const zone = "example.org."

// signs makes keys until one has a tag that is wanted, and signs a record with it.
func signs(wanted func(tag uint16) bool) error {
	for range 1 << 22 {
		key := &dns.DNSKEY{
			Hdr:   dns.RR_Header{Name: zone, Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 3600},
			Flags: 257, Protocol: 3, Algorithm: dns.ED25519,
		}
		private, err := key.Generate(256)
		if err != nil {
			return err
		}
		if !wanted(key.KeyTag()) {
			continue
		}
		sig := &dns.RRSIG{Algorithm: key.Algorithm, KeyTag: key.KeyTag(), SignerName: zone, Inception: 1700000000, Expiration: 1800000000}
		return sig.Sign(private.(crypto.Signer), []dns.RR{key})
	}
	return fmt.Errorf("no such key")
}

func main() {
	zero := signs(func(tag uint16) bool { return tag == 0 })
	other := signs(func(tag uint16) bool { return tag != 0 })
	fmt.Println("tag 0:", zero)
	fmt.Println("any other tag:", map[bool]string{true: "signs", false: "fails"}[other == nil])
	if zero != dns.ErrKey || other != nil {
		os.Exit(1)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/miekg/dns@v1.1.73 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go run .
