package resolver

import (
	"fmt"
	"net"
	"strings"
)

func dnsdist(p place) []string {
	conf := p.write("dnsdist.conf", fmt.Sprintf(`
setLocal('127.0.0.1:%d')
setSecurityPollSuffix('')
newServer({address='%s'}):setUp()
%s
`, p.port, p.Forward, p.more))
	return []string{"--supervised", "--disable-syslog", "-C", conf}
}

func dnsmasq(p place) []string {
	var servers string
	if p.Forward != "" {
		servers = "server=" + strings.Replace(p.Forward, ":", "#", 1)
	}
	conf := p.write("dnsmasq.conf", fmt.Sprintf(`
port=%d
listen-address=127.0.0.1
bind-interfaces
no-resolv
no-hosts
no-daemon
user=
pid-file=
log-facility=-
%s
%s
`, p.port, servers, p.more))
	return []string{"-C", conf}
}

func stubby(p place) []string {
	host, port, err := net.SplitHostPort(p.Forward)
	if err != nil {
		p.Fatal(err)
	}
	conf := p.write("stubby.yml", fmt.Sprintf(`
resolution_type: GETDNS_RESOLUTION_STUB
dns_transport_list: [GETDNS_TRANSPORT_TLS]
tls_authentication: GETDNS_AUTHENTICATION_NONE
appdata_dir: %q
listen_addresses:
  - 127.0.0.1@%d
upstream_recursive_servers:
  - address_data: %s
    tls_port: %s
%s
`, p.dir, p.port, host, port, p.more))
	return []string{"-C", conf}
}
