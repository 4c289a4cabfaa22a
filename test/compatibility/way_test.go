//go:build linux

package compatibility_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/test/resolved"
	"github.com/seed-1b7246af/coredns-ede/test/resolver"
)

// way is how a client asks: over which transport, and with which command.
type way struct {
	client, transport string
	version           func(t testing.TB) string
	// ask returns what the client prints and its exit status.
	ask      func(t *testing.T, address, name string) (output string, status int)
	onlyIPv4 bool
}

// command runs a program; ADDRESS and NAME stand for what to ask.
func command(line string) func(t *testing.T, address, name string) (string, int) {
	return func(t *testing.T, address, name string) (string, int) {
		t.Helper()
		words := strings.Fields(line)
		for i, word := range words {
			words[i] = strings.NewReplacer("ADDRESS", address, "NAME", name).Replace(word)
		}
		return run(t, words...)
	}
}

func run(t *testing.T, words ...string) (output string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, words[0], words[1:]...).CombinedOutput()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return string(out), exit.ExitCode()
	}
	if errors.Is(err, exec.ErrNotFound) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(out), 0
}

// configured writes resolv.conf and runs a program that reads it.
func configured(options string, words ...string) func(t *testing.T, address, name string) (string, int) {
	return func(t *testing.T, address, name string) (string, int) {
		t.Helper()
		text := "nameserver " + address + "\noptions timeout:1 attempts:1 " + options + "\n"
		if err := os.WriteFile("/etc/resolv.conf", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return run(t, append(words, name)...)
	}
}

// goes asks with the resolver of Go's standard library.
func goes(network string) func(t *testing.T, address, name string) (string, int) {
	return func(t *testing.T, address, name string) (string, int) {
		t.Helper()
		r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(address, "53"))
		}}
		addresses, err := r.LookupIP(t.Context(), "ip4", name+".")
		if err != nil {
			var failure *net.DNSError
			if !errors.As(err, &failure) {
				t.Fatal(err)
			}
			return failure.Err, 1
		}
		return fmt.Sprint(addresses), 0
	}
}

// through asks a forwarder that asks CoreDNS.
func through(r resolver.Resolver, port string) func(t *testing.T, address, name string) (string, int) {
	started := make(map[string]string)
	return func(t *testing.T, address, name string) (string, int) {
		t.Helper()
		at := started[address]
		if at == "" {
			at = r.Start(t, resolver.Root{Forward: net.JoinHostPort(address, port)})
			started[address] = at
		}
		_, own, _ := net.SplitHostPort(at)
		return run(t, "dig", "@127.0.0.1", "-p", own, name+".", "A")
	}
}

// throughResolved asks systemd-resolved, which asks CoreDNS.
func throughResolved(program string) func(t *testing.T, address, name string) (string, int) {
	return func(t *testing.T, address, name string) (string, int) {
		t.Helper()
		defer resolved.Start(t, resolved.Config{Servers: []string{address}, DNSSEC: "no"})()
		return run(t, append(strings.Fields(program), "@127.0.0.53", name+".", "A")...)
	}
}

func ways(t *testing.T) []way {
	t.Helper()
	dir := t.TempDir()
	compiled := func(compiler string) string {
		program := filepath.Join(dir, compiler)
		if out, status := run(t, compiler, "-static", "-w", "-o", program, "testdata/getaddrinfo.c"); status != 0 {
			t.Fatalf("%s: %s", compiler, out)
		}
		return program
	}
	const dig, kdig = "dig +tries=1 @ADDRESS NAME. A ", "kdig +retry=0 @ADDRESS NAME. A "
	v := versions
	getent := []string{"getent", "--no-addrconfig", "ahostsv4"}
	unbound := resolver.Unbound.With("  ede: yes\n")
	return []way{
		{"dig", "UDP", v.dig, command(dig), false},
		{"dig", "TCP", v.dig, command(dig + "+tcp"), false},
		{"dig", "DoT", v.dig, command(dig + "+tls"), false},
		{"dig", "DoH", v.dig, command(dig + "+https"), false},
		{"dig `+noedns`", "UDP", v.dig, command(dig + "+noedns"), false},
		{"kdig `+edns`", "UDP", v.kdig, command(kdig + "+edns"), false},
		{"kdig `+edns`", "TCP", v.kdig, command(kdig + "+edns +tcp"), false},
		{"kdig `+edns`", "DoT", v.kdig, command(kdig + "+edns +tls"), false},
		{"kdig `+edns`", "DoH", v.kdig, command(kdig + "+edns +https"), false},
		{"kdig `+edns`", "DoQ", v.kdig, command(kdig + "+edns +quic"), false},
		{"kdig", "UDP", v.kdig, command(kdig), false},
		{"delv `-i`", "UDP", v.delv, command("delv -i @ADDRESS NAME. A"), false},
		{"delv `-i`", "TCP", v.delv, command("delv -i @ADDRESS NAME. A +tcp"), false},
		{"drill `-D`", "UDP", v.drill, command("drill -D NAME. @ADDRESS A"), false},
		{"drill `-D`", "TCP", v.drill, command("drill -D -t NAME. @ADDRESS A"), false},
		{"drill `-D -o AD`", "UDP", v.drill, command("drill -D -o AD NAME. @ADDRESS A"), false},
		{"drill", "UDP", v.drill, command("drill NAME. @ADDRESS A"), false},
		{"Go's resolver", "UDP", v.golang, goes("udp"), false},
		{"Go's resolver", "TCP", v.golang, goes("tcp"), false},
		{"glibc (`getent ahostsv4`)", "UDP", v.glibc, configured("", getent...), false},
		{"glibc, `options edns0`", "UDP", v.glibc, configured("edns0", getent...), false},
		{"glibc, `options edns0`", "TCP", v.glibc, configured("edns0 use-vc", getent...), false},
		{"musl (`getaddrinfo`)", "UDP", v.musl, configured("", compiled("musl-gcc")), false},
		{"dig `+dnssec`", "UDP", v.dig, command("dig +tries=1 +dnssec @ADDRESS NAME. A"), false},
		{"dig `+nsid +noadflag`", "UDP", v.dig, command("dig +tries=1 +nsid +noadflag @ADDRESS NAME. A"), false},
		{"glibc, `options trust-ad`", "UDP", v.glibc, configured("trust-ad", getent...), false},
		{"glibc, `options edns0 trust-ad`", "UDP", v.glibc, configured("edns0 trust-ad", getent...), false},
		{"host", "UDP", v.host, command("host -t A NAME. ADDRESS"), false},
		{"nslookup", "UDP", v.nslookup, command("nslookup -type=A NAME. ADDRESS"), false},
		{"Node (`dns.resolve4`)", "UDP", v.node, command("node testdata/resolve4.js NAME ADDRESS"), false},
		{"dig, dnsmasq between", "UDP", resolver.Dnsmasq.Version, through(resolver.Dnsmasq, "53"), true},
		{"dig, dnsdist between", "UDP", resolver.Dnsdist.Version, through(resolver.Dnsdist, "53"), true},
		{"dig, Unbound with `ede: yes` between", "UDP", resolver.Unbound.Version, through(unbound, "53"), true},
		{"dig, systemd-resolved between", "UDP", resolved.Version, throughResolved("dig"), true},
		{"dig `+dnssec`, systemd-resolved between", "UDP", resolved.Version, throughResolved("dig +dnssec"), true},
		{"dig, stubby between", "DoT", resolver.Stubby.Version, through(resolver.Stubby, "853"), true},
	}
}
