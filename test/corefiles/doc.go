// Package corefiles holds the test that compares what `ede check` foretells of
// a Corefile with what a CoreDNS that runs it answers. The Corefiles are made
// by chance, of the plugins that answer and of those that change what they are
// asked.
package corefiles
