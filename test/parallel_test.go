package test_test

import (
	"flag"
	"testing"
)

// init has more tests run at once than there are processors: they wait for
// timeouts, mostly. -parallel on the command line prevails.
func init() {
	testing.Init()
	if err := flag.Set("test.parallel", "24"); err != nil {
		panic(err)
	}
}
