package main

// wanted are tests of CoreDNS that have to fail with ede in every server block,
// and why.
var wanted = map[string]string{
	"TestNoPlugins": "it asks for a server block without any plugin, and ede is one; the block then refuses " +
		"nothing by itself and ends in no next plugin, SERVFAIL, as with any other plugin in it",
}
