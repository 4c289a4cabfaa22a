package ede

import (
	"fmt"
	"strings"
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/plugin/pkg/reuseport"
)

// Metrics and health checks listen as the page does, in a way that lets two
// have one port: then a request would reach now the one, now the other.
func TestThePageSharesItsPortWithItselfAlone(t *testing.T) {
	other, err := reuseport.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	text := fmt.Sprintf(".:0 {\n    bind 127.0.0.1\n    ede {\n        page %s\n    }\n    whoami\n}\n", other.Addr())
	corefile := caddy.CaddyfileInput{Filepath: "Corefile", Contents: []byte(text), ServerTypeName: "dns"}
	if i, err := caddy.Start(corefile); err == nil {
		i.Stop()
		t.Fatal("the page has the port of another")
	} else if said := err.Error(); !strings.Contains(said, "Corefile:4 - page: listen tcp "+other.Addr().String()) {
		t.Errorf("%q does not name the place and the address", said)
	}

	other.Close()
	i, err := caddy.Start(corefile)
	if err != nil {
		t.Fatal(err)
	}
	reloaded, err := i.Restart(corefile)
	if err != nil {
		i.Stop()
		t.Fatal("the page is not handed over at a reload: ", err)
	}
	if err := reloaded.Stop(); err != nil {
		t.Error(err)
	}
}
