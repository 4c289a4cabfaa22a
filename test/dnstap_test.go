package test_test

import (
	"path/filepath"
	"testing"
	"time"

	dnstap "github.com/dnstap/golang-dnstap"
	"google.golang.org/protobuf/proto"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

func TestDnstapHasTheReasonAndTheCause(t *testing.T) {
	server.Capture(t)
	path := filepath.Join(t.TempDir(), "tap")
	sink, err := dnstap.NewFrameStreamSockInputFromPath(path)
	if err != nil {
		t.Fatal(err)
	}
	frames := make(chan []byte, 64)
	go sink.ReadInto(frames)

	addr := upstream.Closed(t)
	s := server.Start(t, here(".:0", "metadata", "dnstap "+path+" full {\n extra \"{/ede/cause} {/ede/code}\"\n }", levels, forward(addr, patiently)))
	m := query("tap.example.org")
	ask(t, fullClient, "udp", s.UDP(), m)

	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for range 16 {
		select {
		case frame := <-frames:
			tap := new(dnstap.Dnstap)
			if err := proto.Unmarshal(frame, tap); err != nil {
				t.Fatal(err)
			}
			if tap.GetMessage().GetType() != dnstap.Message_CLIENT_RESPONSE {
				continue
			}
			expect(t, parse(t, tap.GetMessage().GetResponseMessage()), "SERVFAIL", "23 "+addr+" refused the connection")
			if got := string(tap.GetExtra()); got != "upstream_unreachable 23" {
				t.Errorf("extra is %q", got)
			}
			return
		case <-deadline.C:
			t.Fatal("dnstap has no client response")
		}
	}
	t.Error("sixteen frames and no client response")
}
