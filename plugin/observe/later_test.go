//go:build !coredns1.14

package observe

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/coredns/coredns/plugin/dns64"
	_ "github.com/coredns/coredns/plugin/dynupdate" // the set-up that tests run
	"github.com/coredns/coredns/plugin/siit"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// laterSites are those of plugins that CoreDNS 1.14 does not have, and one where its
// dns64 panics.
var laterSites = []textSite{
	{"dynupdate: the zone file is gone", func(t *testing.T) error { return storeGone(t, "zone") }, evidence.StoreNotReady},
	{"dynupdate: the zone file does not parse", func(t *testing.T) error { return storeGone(t, "text") }, evidence.StoreNotReady},
	{"dynupdate: the database cannot be opened", func(t *testing.T) error { return storeGone(t, "store") }, evidence.StoreNotReady},
	{"dns64 gets no response", func(*testing.T) error {
		_, err := (&dns64.DNS64{Upstream: nothing{}}).DoDNS64(context.Background(), new(messages), ask("www.example.org.", dns.TypeAAAA), new(dns.Msg))
		return err
	}, evidence.InternalLookup},
	{"siit gets no response", func(*testing.T) error {
		_, _, err := (&siit.SIIT{Upstream: nothing{}}).DoSIIT(context.Background(), new(messages), ask("www.example.org.", dns.TypeA), new(dns.Msg))
		return err
	}, evidence.InternalLookup},
}

// storeGone returns the error of dynupdate for a store that was good at its
// set-up and of which a part is gone when the first query comes.
func storeGone(t *testing.T, part string) error {
	t.Helper()
	dir := t.TempDir()
	seed, store := filepath.Join(dir, "zone"), filepath.Join(dir, "store")
	if err := errors.Join(os.WriteFile(seed, []byte(zoneText+"@ IN NS ns\n"), 0o600), os.Mkdir(store, 0o700)); err != nil {
		t.Fatal(err)
	}
	h := handler(t, "dynupdate example.org. {\n file "+seed+"\n database "+filepath.Join(store, "db")+"\n allow key.example. * *\n}")
	var err error
	switch part {
	case "zone":
		err = os.Remove(seed)
	case "text":
		err = os.WriteFile(seed, []byte("@ 3600 IN SOA nonsense\n"), 0o600)
	case "store":
		err = os.Remove(store)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.ServeDNS(context.Background(), new(messages), ask("www.example.org.", dns.TypeA))
	return err
}
