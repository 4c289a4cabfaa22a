package record

import (
	"context"
	"net/netip"

	"github.com/coredns/coredns/plugin/metadata"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// ClientForm is how much of a client's address is recorded.
type ClientForm uint8

const (
	// ClientFull: address and port, as the log plugin writes them.
	ClientFull ClientForm = iota
	// ClientPrefix: the /24 of an IPv4 and the /56 of an IPv6 address.
	ClientPrefix
	// ClientNone: nothing.
	ClientNone
)

const (
	prefixBits4 = 24
	prefixBits6 = 56
)

// Address returns what of a's address may be recorded, "" if nothing.
func (c ClientForm) Address(a netip.AddrPort) string {
	addr, _ := c.of(a)
	return addr
}

// of returns the address and port of a as they may be recorded; 0 stands for a
// port that is not.
func (c ClientForm) of(a netip.AddrPort) (string, uint16) {
	if !a.IsValid() || c == ClientNone {
		return "", 0
	}
	addr := a.Addr().Unmap()
	if c == ClientFull {
		return addr.String(), a.Port()
	}
	bits := prefixBits6
	if addr.Is4() {
		bits = prefixBits4
	}
	p, err := addr.WithZone("").Prefix(bits)
	if err != nil {
		return "", 0
	}
	return p.String(), 0
}

// Pod is a client in a cluster, as the kubernetes plugin knows it with `pods verified`.
type Pod struct{ Namespace, Name string }

// The longest names that Kubernetes allows: a namespace is a label, a Pod's name a
// subdomain (RFC 1123).
const (
	maxNamespace = 63
	maxPod       = 253
)

// Pod returns what the metadata in ctx says of the client, as far as it may be recorded.
// The labels are read here and for failures only.
func (c ClientForm) Pod(ctx context.Context) Pod {
	if c == ClientNone || metadata.ValueFuncs(ctx) == nil {
		return Pod{}
	}
	return Pod{
		Namespace: labelOf(ctx, "kubernetes/client-namespace", maxNamespace),
		Name:      labelOf(ctx, "kubernetes/client-pod-name", maxPod),
	}
}

func labelOf(ctx context.Context, label string, octets int) string {
	value := metadata.ValueFunc(ctx, label)
	if value == nil {
		return ""
	}
	return option.Sanitize(value(), octets)
}
