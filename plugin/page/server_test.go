package page

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func listen(t *testing.T, addr string, h http.Handler) *Server {
	t.Helper()
	s, err := Listen(addr, h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

func fetch(t *testing.T, url string) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestANewServerTakesThePortOverWhileTheOldOneServes(t *testing.T) {
	old := listen(t, "127.0.0.1:0", empty().handler())
	addr := old.Addr().String()
	next := listen(t, addr, empty().handler())
	old.Stop()
	if status, body := fetch(t, "http://"+addr+"/"); status != http.StatusOK || !strings.Contains(body, "Nothing has failed") {
		t.Errorf("status %d", status)
	}
	next.Stop()
	if conn, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
		conn.Close()
		t.Error("somebody still listens")
	}
}

func TestAHeaderThatIsTooLargeIsRefused(t *testing.T) {
	s := listen(t, "127.0.0.1:0", empty().handler())
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	// net/http reads 4096 octets beyond the limit.
	_, _ = io.WriteString(conn, "GET /"+strings.Repeat("a", maxHeader+8192)+" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
	answer, err := io.ReadAll(conn)
	if !strings.HasPrefix(string(answer), "HTTP/1.1 431 ") && !errors.Is(err, net.ErrClosed) && !strings.Contains(string(answer), "431") {
		t.Errorf("%.60q %v", answer, err)
	}
}

func TestAStopDoesNotWaitForASlowClient(t *testing.T) {
	s := listen(t, "127.0.0.1:0", empty().handler())
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: ")
	stopped := make(chan struct{})
	go func() { s.Stop(); close(stopped) }()
	select {
	case <-stopped:
	case <-time.After(10 * time.Second):
		t.Error("the server waits for a client that does not finish its request")
	}
}

func TestAnAddressThatCannotBeBoundIsAnError(t *testing.T) {
	if s, err := Listen("192.0.2.1:0", empty().handler()); err == nil {
		s.Stop()
		t.Error("an address of somebody else was bound")
	}
}

// Whoever opens connections and says nothing, or says it slowly, keeps others out
// for as long as a request may take, and no longer.
func TestSilentConnectionsAreCountedAndEnd(t *testing.T) {
	s := listen(t, "127.0.0.1:0", empty().handler())
	addr := s.Addr().String()
	opened := time.Now()
	silent := make([]net.Conn, maxConnections)
	for i := range silent {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "); err != nil {
			t.Fatal(err)
		}
		silent[i] = conn
	}
	began := time.Now()
	answered := make(chan int)
	go func() {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 6 * readTimeout}
		response, err := client.Get("http://" + addr + "/")
		if err != nil {
			t.Error(err)
			answered <- 0
			return
		}
		response.Body.Close()
		answered <- response.StatusCode
	}()
	select {
	case status := <-answered:
		// On a machine that is very busy the first ones may be cut off by now.
		if passed := time.Since(opened); passed < readTimeout {
			t.Fatalf("connection %d was served after %v", maxConnections+1, passed)
		}
		go func() { answered <- status }()
	case <-time.After(readTimeout / 10):
	}
	// The slow ones are cut off by the server, which lets the other in.
	if status := <-answered; status != http.StatusOK {
		t.Errorf("status %d after %v", status, time.Since(began))
	}
	for _, conn := range silent {
		if err := conn.SetReadDeadline(time.Now().Add(10 * readTimeout)); err != nil {
			t.Fatal(err)
		}
		if answer, err := io.ReadAll(conn); err != nil || strings.Contains(string(answer), "200 OK") {
			t.Errorf("a request without an end got %q, %v", answer, err)
		}
	}
}
