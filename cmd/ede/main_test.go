package main

import "testing"

func TestAnErrorThatQuotesAFileIsPrintable(t *testing.T) {
	const text = "Corefile:2: import a\x1b[31m\u202eb\xff\n\tnothing follows"
	if got, want := printable(text), "Corefile:2: import a?[31m?b\ufffd\n\tnothing follows"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
