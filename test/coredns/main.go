// Coredns runs CoreDNS's own whole-server tests with ede in every server block,
// and without it:
//
//	go run ./test/coredns
//
// It takes the source of the version in go.mod out of the module cache, twice:
// as it is, and with ede compiled in by plugin.cfg. Tests that fail in one of the
// two are run again, alone, in both, as some of the suite fail by chance. One that
// fails more often with ede fails the run, unless that is wanted (wanted.go). It
// takes several minutes.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	work := flag.String("work", "", "`folder` for the two copies, kept and used again; a temporary one if empty")
	build := flag.Bool("build", false, "stop once both are built")
	again := flag.Int("again", 30, "how often a test that fails is run again")
	flag.Parse()
	ok, err := run(*work, *build, *again)
	if err != nil {
		fmt.Fprintln(os.Stderr, "coredns:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

func run(work string, buildOnly bool, again int) (ok bool, err error) {
	if work == "" {
		if work, err = os.MkdirTemp("", "coredns-tests"); err != nil {
			return false, err
		}
		defer os.RemoveAll(work)
	}
	without := suite{dir: filepath.Join(work, "without")}
	with := suite{dir: filepath.Join(work, "with"), directive: "ede"}
	for _, s := range []suite{without, with} {
		if err := s.prepare(); err != nil {
			return false, err
		}
	}
	if buildOnly {
		return true, nil
	}
	before, err := without.run(1, "")
	if err != nil {
		return false, err
	}
	after, err := with.run(1, "")
	if err != nil {
		return false, err
	}
	fmt.Println("| | passed | failed | skipped |\n|---|---|---|---|")
	fmt.Println("| without ede |", before.counts(), "|")
	fmt.Println("| with ede |", after.counts(), "|")
	return judge(without, with, before, after, again)
}
