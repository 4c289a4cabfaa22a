package main

// wanted are tests of CoreDNS that have to fail with ede in every server block,
// and why. There are none.
var wanted = map[string]string{}
