package observe

import "github.com/seed-1b7246af/coredns-ede/plugin/evidence"

func isStock(plugin string) bool { return evidence.Stock[plugin] }

// changesRcodes is true for plugins that can change the rcode of a message on its way
// up: rewrite has a rule for it, and nobody knows what plugins do that CoreDNS does not
// ship.
func changesRcodes(plugin string) bool { return plugin == "rewrite" || !isStock(plugin) }
