// Package certificate mints the X.509 certificates of the whole-server tests:
// one throw-away authority a test, and server certificates with the flaws that
// a TLS client has to notice.
package certificate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Name is the DNS name in every certificate without a flaw, in addition to the IP
// address 127.0.0.1: the value for a Corefile's tls_servername.
const Name = "ns.example.net"

// Flaw is what is wrong with a server certificate.
type Flaw int

const (
	None        Flaw = iota
	UnknownCA        // signed by an authority that is not in the CA file
	WrongName        // for another name, and for no address
	Expired          // ended an hour ago
	NotYetValid      // begins in an hour
)

// Authority signs server certificates. CAFile is its own certificate in PEM.
type Authority struct {
	CAFile string

	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// New makes an authority whose CAFile lives as long as the test.
func New(t testing.TB) *Authority {
	t.Helper()
	a := newAuthority(t)
	a.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	write(t, a.CAFile, "CERTIFICATE", a.cert.Raw)
	return a
}

// Issue returns a server certificate with the flaw asked for.
func (a *Authority) Issue(t testing.TB, flaw Flaw) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: Name},
		NotBefore:    time.Now().Add(-2 * time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{Name},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	signer := a
	switch flaw {
	case UnknownCA:
		signer = newAuthority(t)
	case WrongName:
		template.DNSNames, template.IPAddresses = []string{"other.example.org"}, nil
	case Expired:
		template.NotAfter = time.Now().Add(-time.Hour)
	case NotYetValid:
		template.NotBefore, template.NotAfter = time.Now().AddDate(0, 1, 0), time.Now().AddDate(0, 2, 0)
	}
	key := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, signer.cert, &key.PublicKey, signer.key)
	if err != nil {
		t.Fatalf("issue certificate: %v", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Files writes a certificate without a flaw and its key in PEM, for the tls
// plugin of a server under test.
func (a *Authority) Files(t testing.TB) (certFile, keyFile string) {
	t.Helper()
	pair := a.Issue(t, None)
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatalf("marshal key: %v", err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	write(t, certFile, "CERTIFICATE", pair.Certificate[0])
	write(t, keyFile, "PRIVATE KEY", key)
	return certFile, keyFile
}

func newAuthority(t testing.TB) *Authority {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "example test authority"},
		NotBefore:             time.Now().Add(-2 * time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	key := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatalf("make authority: %v", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatalf("parse authority: %v", err)
	}
	return &Authority{cert: cert, key: key}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("generate key: %v", err)
	}
	return key
}

func write(t testing.TB, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatalf("write %s: %v", kind, err)
	}
}
