// Package server runs CoreDNS instances inside a test, from a Corefile, and
// asks them questions.
//
// A Corefile binds 127.0.0.1 and port 0 (`.:0 { bind 127.0.0.1 ... }`); the
// methods of [Server] tell which ports the kernel chose. All plugins of
// CoreDNS are linked in. An external plugin is the test's to import and to put
// into dnsserver.Directives before the first Start.
package server

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/core/plugin" // all plugins of CoreDNS
)

// stopTimeout is twice what CoreDNS allows itself for a graceful stop.
const stopTimeout = 10 * time.Second

// startTries bounds the starts until no port is shared.
const startTries = 8

// loading is held while an instance starts, reloads or stops: caddy and
// CoreDNS keep process-wide state meanwhile (log.D, the metrics registry).
var loading sync.Mutex

func init() {
	caddy.Quiet, dnsserver.Quiet = true, true
}

// Server is a running instance.
type Server struct {
	t    testing.TB // nil for one made by Try
	once sync.Once

	mu        sync.Mutex
	instance  *caddy.Instance
	listeners []Listener
}

// Start runs an instance until the test ends; a Corefile that does not load
// fails the test with the error.
func Start(t testing.TB, corefile string) *Server {
	t.Helper()
	s, err := Try(corefile)
	if err != nil {
		t.Fatalf("start CoreDNS: %v", err)
	}
	s.t = t
	t.Cleanup(func() {
		t.Helper()
		if err := s.Stop(); err != nil {
			t.Errorf("stop CoreDNS: %v", err)
		}
	})
	return s
}

// Try starts an instance, or returns the error with which it does not load.
// The caller has to Stop it. What plugins had started before a later step
// failed is left running, as in CoreDNS, whose process ends there.
func Try(corefile string) (*Server, error) {
	loading.Lock()
	defer loading.Unlock()
	defer forget()
	for range startTries {
		instance, err := caddy.Start(input(corefile))
		if err != nil {
			return nil, err
		}
		s := new(Server)
		crowded, err := s.adopt(instance)
		if err == nil && !crowded {
			return s, nil
		}
		// Next to another socket it may well not have seemed to serve.
		if err := errors.Join(err, shutdown(instance)); err != nil && !crowded {
			return nil, err
		}
	}
	return nil, fmt.Errorf("in %d tries another socket had the same port", startTries)
}

// Reload replaces the configuration as the reload plugin does: the sockets
// stay where an address is served before and after. On an error the old
// configuration goes on.
func (s *Server) Reload(corefile string) error {
	loading.Lock()
	defer loading.Unlock()
	defer forget()
	s.mu.Lock()
	old := s.instance
	s.mu.Unlock()
	if old == nil {
		return errors.New("reload of a stopped server")
	}
	instance, err := old.Restart(input(corefile))
	if err != nil {
		return err
	}
	_, err = s.adopt(instance)
	return err
}

// Stop ends the instance: first its plugins' shutdown callbacks, then its
// listeners. Later calls do nothing.
func (s *Server) Stop() (err error) {
	s.once.Do(func() {
		loading.Lock()
		defer loading.Unlock()
		defer forget()
		s.mu.Lock()
		instance := s.instance
		s.instance = nil // finalizers in it have to run
		s.mu.Unlock()
		err = shutdown(instance)
	})
	return err
}

// adopt makes instance the one that s speaks for, once it serves, and reports
// whether a port of it is another socket's, too.
func (s *Server) adopt(instance *caddy.Instance) (crowded bool, err error) {
	listeners, err := inspect(instance)
	if err != nil {
		return false, err
	}
	crowded = keep(listeners)
	s.mu.Lock()
	s.instance, s.listeners = instance, listeners
	s.mu.Unlock()
	for _, l := range listeners {
		if err := l.await(); err != nil {
			return crowded, fmt.Errorf("%s %s does not serve: %w", l.Scheme, strings.Join(l.Zones, " "), err)
		}
	}
	return crowded, nil
}

func shutdown(instance *caddy.Instance) error {
	errs := instance.ShutdownCallbacks()
	errs = append(errs, instance.Stop())
	ended := make(chan struct{})
	go func() {
		instance.Wait()
		close(ended)
	}()
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
		errs = append(errs, fmt.Errorf("listeners still serve after %v", stopTimeout))
	}
	return errors.Join(errs...)
}

// forget clears what caddy's list of instances keeps beyond its length: it
// removes an instance by shifting the rest, and the pointer left behind holds
// a stopped instance, its proxies and so the goroutines that only their
// finalizers end. Every change of the list here happens with loading held.
func forget() {
	instances := caddy.Instances()
	clear(instances[len(instances):cap(instances)])
}

func input(corefile string) caddy.Input {
	return caddy.CaddyfileInput{Filepath: "Corefile", Contents: []byte(corefile), ServerTypeName: "dns"}
}
