package observe

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/coredns/coredns/plugin/file"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/coredns/coredns/plugin/secondary"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/overheard"
)

func TestACertificateThatIsNotValidYetIsToldFromOneThatHasExpired(t *testing.T) {
	now := time.Now()
	invalid := func(from, to time.Time) error {
		return x509.CertificateInvalidError{Reason: x509.Expired, Cert: &x509.Certificate{NotBefore: from, NotAfter: to}}
	}
	handshake := func(text string) error {
		return status.Error(codes.Unavailable, "authentication handshake failed: tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-01-01T00:00:00Z is "+text)
	}
	for _, tc := range []struct {
		err  error
		want bool
	}{
		{fmt.Errorf("wrapped: %w", invalid(now.Add(time.Hour), now.Add(2*time.Hour))), true},
		{invalid(now.Add(-2*time.Hour), now.Add(-time.Hour)), false},
		{x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign, Cert: &x509.Certificate{NotBefore: now.Add(time.Hour)}}, false},
		{handshake("before 2027-01-01T00:00:00Z"), true},
		{handshake("after 2025-01-01T00:00:00Z"), false},
	} {
		if f := interpret(tc.err, nil, ""); f.Kind != evidence.TLS || f.NotYetValid != tc.want {
			t.Errorf("%v is %s, not yet valid: %t, want %t", tc.err, f.Kind, f.NotYetValid, tc.want)
		}
	}
}

// A failed question for the serial names the primary and no zone.
func TestAnErrorAboutThePrimaryIsThatOfItsZones(t *testing.T) {
	clog.Discard()
	ear := overheard.New(time.Now)
	ear.Listen()
	defer ear.Stop()
	l := &Ladder{Ear: ear}
	zones := map[string]*file.Zone{
		"example.org.": {TransferFrom: []string{"192.0.2.1:53", "192.0.2.53:53"}},
		"example.net.": {TransferFrom: []string{"192.0.2.54:53"}},
	}
	h := &secondary.Secondary{File: file.File{Zones: file.Zones{Z: zones}}}
	clog.NewWithPlugin("file").Warningf("Failed retry check %s", &net.OpError{
		Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 53), Port: 53}, Err: errors.New("connection refused"),
	})
	for zone, want := range map[string]evidence.Reason{"example.org.": evidence.NotListening, "example.net.": evidence.NoReason, "": evidence.NoReason} {
		got := l.overheard(&tap{name: "secondary", next: h}, &evidence.Evidence{Zone: evidence.Zone{Name: zone}})
		if got.Reason != want {
			t.Errorf("%q: heard %s %q, want %s", zone, got.Reason, got.Text, want)
		}
	}
}
