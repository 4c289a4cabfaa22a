package observe

import (
	"strings"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// texts are errors that CoreDNS makes with errors.New or fmt.Errorf on the
// spot. A test drives each site, so that a changed text is noticed. What stands
// before or after them can be chosen by a client or a zone file and is not
// looked at: acl passes the query name where a plugin's name belongs.
var texts = []struct {
	prefix, suffix string
	kind           evidence.Kind
}{
	{suffix: ": no next plugin found", kind: evidence.NoNextPlugin},                       // plugin/plugin.go NextOrFailure
	{prefix: "invalid name after rewrite: ", kind: evidence.InvalidName},                  // plugin/rewrite/rewrite.go ServeDNS
	{prefix: "proxy: transport stopped", kind: evidence.Stopped},                          // plugin/pkg/proxy/connect.go, doq.go
	{prefix: "DNS-over-QUIC protocol error", kind: evidence.Malformed},                    // plugin/pkg/proxy/doq.go
	{prefix: "no SOA", kind: evidence.NoSOA},                                              // plugin/file/zone.go ApexIfDefined
	{prefix: "opening zone file ", kind: evidence.StoreNotReady},                          // plugin/dynupdate/setup.go
	{prefix: "parsing zone file ", kind: evidence.StoreNotReady},                          // plugin/dynupdate/setup.go
	{prefix: "opening database ", kind: evidence.StoreNotReady},                           // plugin/dynupdate/store.go
	{prefix: "loading database ", kind: evidence.StoreNotReady},                           // plugin/dynupdate/store.go
	{prefix: "dynamic zone is closed", kind: evidence.StoreNotReady},                      // plugin/dynupdate/store.go
	{prefix: `zone "`, suffix: " has no snapshot", kind: evidence.StoreNotReady},          // plugin/dynupdate/dynupdate.go
	{prefix: "etcdserver: ", kind: evidence.StoreNotReady},                                // etcd's api/v3rpc/rpctypes
	{prefix: "no full server is running", kind: evidence.InternalLookup},                  // plugin/pkg/upstream
	{prefix: "dns64: upstream returned no response", kind: evidence.InternalLookup},       // plugin/dns64/dns64.go
	{prefix: "siit: upstream lookup returned no response", kind: evidence.InternalLookup}, // plugin/siit/siit.go
	{prefix: "trimzone: overshot qname", kind: evidence.SearchPath},                       // plugin/pkg/dnsutil/zone.go
}

func kindOfText(text string) evidence.Kind {
	for _, t := range texts {
		if strings.HasPrefix(text, t.prefix) && strings.HasSuffix(text, t.suffix) {
			return t.kind
		}
	}
	return evidence.Other
}
