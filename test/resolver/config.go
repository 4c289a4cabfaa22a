package resolver

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/miekg/dns"
)

func (p place) write(name, text string) string {
	p.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		p.Fatal(err)
	}
	return path
}

// anchors returns the anchors one a line in the given form.
func (p place) anchors(form func(*dns.DS) string) string {
	var b strings.Builder
	for _, rr := range p.Anchor {
		if ds, ok := rr.(*dns.DS); ok {
			b.WriteString(form(ds) + "\n")
		}
	}
	return b.String()
}

func bind(p place) []string {
	p.write("hints", p.Hints)
	anchors := p.anchors(func(ds *dns.DS) string {
		return fmt.Sprintf(". static-ds %d %d %d %q;", ds.KeyTag, ds.Algorithm, ds.DigestType, ds.Digest)
	})
	conf := p.write("named.conf", fmt.Sprintf(`
options {
  directory %q; listen-on port %d { 127.0.0.1; }; listen-on-v6 { none; }; pid-file none; session-keyfile none;
  recursion yes; dnssec-validation yes; empty-zones-enable no; querylog no;
%s
};
controls { };
trust-anchors { %s };
zone "." { type hint; file "hints"; };
`, p.dir, p.port, p.more, anchors))
	return []string{"-g", "-4", "-c", conf}
}

func unbound(p place) []string {
	asks := fmt.Sprintf("  root-hints: %q", p.write("hints", p.Hints))
	if p.Forward != "" {
		asks = fmt.Sprintf("forward-zone:\n  name: \".\"\n  forward-addr: %s", strings.Replace(p.Forward, ":", "@", 1))
	}
	anchors := p.anchors(func(ds *dns.DS) string {
		return fmt.Sprintf("  trust-anchor: %q", strings.ReplaceAll(ds.String(), "\t", " "))
	})
	conf := p.write("unbound.conf", fmt.Sprintf(`
server:
  directory: %q
  chroot: ""
  username: ""
  pidfile: ""
  interface: 127.0.0.1@%d
  do-ip6: no
  do-not-query-localhost: no
  use-syslog: no
  module-config: "validator iterator"
%s
%s
%s
remote-control:
  control-enable: no
`, p.dir, p.port, anchors, p.more, asks))
	return []string{"-d", "-p", "-c", conf}
}

func powerDNS(p place) []string {
	hints := p.write("hints", p.Hints)
	anchors := p.anchors(func(ds *dns.DS) string {
		return fmt.Sprintf("addTA('.', '%d %d %d %s')", ds.KeyTag, ds.Algorithm, ds.DigestType, ds.Digest)
	})
	lua := p.write("anchors.lua", "clearTA()\n"+anchors)
	p.write("recursor.conf", fmt.Sprintf(`
local-address=127.0.0.1
local-port=%d
socket-dir=%s
hint-file=%s
lua-config-file=%s
dnssec=validate
dont-query=
daemon=no
threads=1
security-poll-suffix=
extended-resolution-errors=no
%s
`, p.port, p.dir, hints, lua, p.more))
	return []string{"--config-dir=" + p.dir, "--disable-syslog"}
}

func knot(p place) []string {
	hints := p.write("hints", p.Hints)
	anchors := p.anchors(func(ds *dns.DS) string {
		return "trust_anchors.add('" + strings.ReplaceAll(ds.String(), "\t", " ") + "')"
	})
	conf := p.write("kresd.conf", fmt.Sprintf(`
net.listen('127.0.0.1', %d, { kind = 'dns' })
net.ipv6 = false
modules.load('hints')
modules.unload('extended_error')
trust_anchors.remove('.')
%s
hints.root_file('%s')
policy.add(policy.all(policy.FLAGS({'ALLOW_LOCAL'})))
cache.size = 10 * MB
%s
`, p.port, anchors, hints, p.more))
	return []string{"-n", "-c", conf, p.dir}
}
