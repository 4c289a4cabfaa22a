package uplink

import (
	"os"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/test/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }
