package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"testing"
)

func verify(t *testing.T, a *Authority, der []byte, name string) error {
	t.Helper()
	pem, err := os.ReadFile(a.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatal("CAFile holds no certificate")
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	_, err = cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: name})
	return err
}

func TestEachFlawIsTheOnlyOne(t *testing.T) {
	a := New(t)
	var unknown x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	tests := map[string]struct {
		flaw Flaw
		name string
		want any
	}{
		"no flaw, by name":     {None, Name, nil},
		"no flaw, by address":  {None, "127.0.0.1", nil},
		"unknown CA":           {UnknownCA, Name, &unknown},
		"wrong name":           {WrongName, Name, &hostname},
		"wrong name, address":  {WrongName, "127.0.0.1", &hostname},
		"wrong name, its own":  {WrongName, "other.example.org", nil},
		"expired, by any name": {Expired, Name, &invalid},
		"not valid yet":        {NotYetValid, Name, &invalid},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			err := verify(t, a, a.Issue(t, tc.flaw).Certificate[0], tc.name)
			if tc.want == nil {
				if err != nil {
					t.Fatalf("got %v, want a valid certificate", err)
				}
				return
			}
			if !errors.As(err, tc.want) {
				t.Fatalf("got %v, want a %T", err, tc.want)
			}
		})
	}
}

func TestFilesHoldAPairThatLoads(t *testing.T) {
	certFile, keyFile := New(t).Files(t)
	if _, err := tls.LoadX509KeyPair(certFile, keyFile); err != nil {
		t.Fatal(err)
	}
}
