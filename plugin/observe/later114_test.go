//go:build coredns1.14

package observe

var laterSites []textSite
