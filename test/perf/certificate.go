package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// writeCertificate writes a certificate for 127.0.0.1, signed by itself, and
// its key: dnsperf does not look at who signed it.
func writeCertificate(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	keyBytes, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	for _, file := range []struct {
		name  string
		block pem.Block
	}{{"cert.pem", pem.Block{Type: "CERTIFICATE", Bytes: cert}}, {"key.pem", pem.Block{Type: "PRIVATE KEY", Bytes: keyBytes}}} {
		if err := os.WriteFile(filepath.Join(dir, file.name), pem.EncodeToMemory(&file.block), 0o600); err != nil {
			return err
		}
	}
	return nil
}
