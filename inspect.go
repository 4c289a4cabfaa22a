package ede

import (
	"github.com/coredns/caddy"
	"github.com/coredns/caddy/caddyfile"

	"github.com/seed-1b7246af/coredns-ede/plugin/instance"
	"github.com/seed-1b7246af/coredns-ede/plugin/preflight"
)

// Inspect reads the ede directives of a Corefile as they are read at load, and
// returns an error for each block in which one is wrong. It starts nothing. A
// file that a property names is opened.
func Inspect(blocks []preflight.Block) []error {
	var errs []error
	var all instance.Settings
	c := caddy.NewTestController("dns", "") // one that belongs to no server
	for _, b := range blocks {
		var tokens []caddyfile.Token
		for _, d := range b.Directives {
			if d.Name == pluginName {
				tokens = append(tokens, d.Tokens...)
			}
		}
		if len(tokens) == 0 {
			continue
		}
		c.Dispenser = caddyfile.NewDispenserTokens(b.File, tokens)
		c.ServerBlockKeys = b.Keys
		_, own, err := parse(c)
		if err == nil {
			err = all.Merge(own)
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}
