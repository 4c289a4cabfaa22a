// Package faults tries a running CoreDNS with ede in bad conditions: floods,
// upstreams that misbehave, reloads, signals, full disks, clients that never
// read. CoreDNS runs as a process of its own, since signals, descriptors and
// memory are a process's; there is one file per fault, and each prints one row:
// what was asked, how it was answered, and what the process held before, at most
// and after.
//
// As a part of the tests each fault takes seconds. The script run in this folder
// runs them at length and prints the table of docs/reliability.md.
package faults
