package control

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

// Clock compares the failures of exchanges with all upstreams with this server's clock: if
// by the clock no certificate is valid yet, or all of several have expired, the clock is in
// doubt, and the text says so.
func Clock(now time.Time, failures []error) (text string, ok bool) {
	notYet, expired := 0, 0
	for _, err := range failures {
		var invalid x509.CertificateInvalidError
		switch {
		case !errors.As(err, &invalid) || invalid.Reason != x509.Expired || invalid.Cert == nil:
			return "", false
		case now.Before(invalid.Cert.NotBefore):
			notYet++
		default:
			expired++
		}
	}
	by := now.UTC().Format(time.DateOnly)
	switch all := len(failures); {
	case all > 0 && notYet == all:
		return fmt.Sprintf("this server's clock is in doubt: by its date (%s) no certificate of its %d upstreams is valid yet", by, all), true
	case all > 1 && expired == all:
		return fmt.Sprintf("this server's clock is in doubt: by its date (%s) the certificates of all %d upstreams have expired", by, all), true
	}
	return "", false
}

// Phrase keeps of an error what may be shown.
func Phrase(err error) string {
	var verification *tls.CertificateVerificationError
	var op *net.OpError
	switch {
	case TimedOut(err):
		return "no reply"
	case errors.As(err, &verification):
		return "its certificate is not valid"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.As(err, &op) && op.Op == "dial":
		return "it cannot be connected to"
	}
	return "the exchange failed"
}

// TimedOut tells an exchange without a reply from one that failed otherwise.
func TimedOut(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout()
}

// Unconnected tells an exchange over TCP in which no connection came about and nothing
// refused it. What does not listen refuses, and a filter drops.
func Unconnected(err error) bool {
	var op *net.OpError
	return TimedOut(err) && !(errors.As(err, &op) && op.Op == "read")
}
