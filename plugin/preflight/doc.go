// Package preflight finds the mistakes that a Corefile gives away before the
// first query: chains that end without an answer, blocks whose plugins never
// get to see each other, forwarding to oneself.
//
// It reads nothing but the directives and the order in which CoreDNS puts them
// into a chain. It starts no plugin, opens no file that a directive names and
// asks no server, so it can run on a Corefile of another machine.
//
// A warning that is wrong costs more than one that is missing: an operator who
// saw one false alarm stops reading. So a plugin that this package does not
// know is taken to answer everything, a view is taken to match or not match as
// needed, and a file in place of an address says nothing. What remains is what
// somebody once reported as "CoreDNS returns SERVFAIL", and each check names
// these reports.
package preflight
