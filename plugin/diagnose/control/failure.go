package control

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
)

// early is how far in the future a certificate begins that no authority makes: one whose
// own clock or time zone is wrong makes them a day too late.
const early = 24 * time.Hour

// Clock compares the failures of exchanges with all upstreams with this server's clock: if
// by the clock all certificates begin days later, or several have expired, the clock is in
// doubt, and the text says so. One certificate is one witness, however many upstreams show
// it, and so are those that one authority let expire on one day.
func Clock(now time.Time, failures []error) (text string, ok bool) {
	notYet, expired, witnesses := 0, 0, make(map[string]bool)
	for _, err := range failures {
		var invalid x509.CertificateInvalidError
		switch {
		case !errors.As(err, &invalid) || invalid.Reason != x509.Expired || invalid.Cert == nil:
			return "", false
		case invalid.Cert.NotBefore.Sub(now) > early:
			notYet++
		case now.After(invalid.Cert.NotAfter):
			expired++
			witnesses[invalid.Cert.NotAfter.UTC().Format(time.DateOnly)+" "+string(invalid.Cert.RawIssuer)] = true
		}
	}
	by := now.UTC().Format(time.DateOnly)
	switch all := len(failures); {
	case all > 0 && notYet == all:
		return fmt.Sprintf("this server's clock is in doubt: by its date (%s) no certificate of its %d upstreams is valid yet", by, all), true
	case all > 0 && expired == all && len(witnesses) > 1:
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
	case Refused(err):
		return "connection refused"
	case NoRoute(err):
		return "there is no route to it"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the connection is closed without an answer"
	case errors.As(err, &op) && op.Op == "dial":
		return "it cannot be connected to"
	}
	return "the exchange failed"
}

// NoRoute tells an exchange that could not even begin: there is no way to the address.
// A host that is off gives EHOSTUNREACH, which shows nothing of the way.
func NoRoute(err error) bool { return errors.Is(err, syscall.ENETUNREACH) }

// Refused tells an exchange that was refused: nothing listens there, or a filter refuses it.
func Refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

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
