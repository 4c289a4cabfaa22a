package port

import (
	"net"
	"runtime"
	"testing"
)

func TestAFreePortIsNobodyElses(t *testing.T) {
	seen := make(map[string]bool)
	for range 500 {
		addr := Free(t)
		if seen[addr] {
			t.Fatalf("%s is given twice", addr)
		}
		seen[addr] = true
		if !free(addr) {
			t.Errorf("%s is taken", addr)
		}
	}
}

func TestAPortIsClaimedUntilItIsReleased(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("claims are of Linux")
	}
	addr := Free(t)
	if _, ok := claim(addr); ok {
		t.Fatalf("%s is claimed twice", addr)
	}
	var ended string
	t.Run("a test that ends", func(t *testing.T) { ended = Free(t) })
	release, ok := claim(ended)
	if !ok {
		t.Fatalf("%s is still claimed after the test that had it", ended)
	}
	release()
}

func TestAPortThatIsTakenIsNotFree(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if free(l.Addr().String()) {
		t.Error("a port with a TCP listener is said to be free")
	}
	p, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if free(p.LocalAddr().String()) {
		t.Error("a port with a UDP socket is said to be free")
	}
}
