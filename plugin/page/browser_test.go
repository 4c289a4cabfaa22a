package page

import (
	"context"
	"flag"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var screenshots = flag.String("screenshots", "", "a directory for screenshots of the page")

// chromium runs a headless browser, without which the test is skipped outside of
// continuous integration.
func chromium(t *testing.T, args ...string) []byte {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("chromium is not installed")
		}
		t.Skip("chromium is not installed")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	args = append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-dev-shm-usage", "--hide-scrollbars",
		"--user-data-dir=" + t.TempDir(),
	}, args...)
	out, err := exec.CommandContext(ctx, program, args...).Output()
	if err != nil {
		t.Fatalf("chromium: %v", err)
	}
	return out
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("run with -screenshots DIRECTORY")
	}
	for _, picture := range []struct {
		file, window string
		stage        *stage
		dark         bool
	}{
		{"page-empty.png", "1100,800", empty(), false},
		{"page-busy.png", "1100,1400", busy(), false},
		{"page-outage.png", "1100,1400", outage(), false},
		{"page-dark.png", "1100,1400", outage(), true},
		{"page-phone.png", "500,1400", outage(), false},
	} {
		file, err := filepath.Abs(filepath.Join(*screenshots, picture.file))
		if err != nil {
			t.Fatal(err)
		}
		args := []string{"--window-size=" + picture.window, "--screenshot=" + file}
		if picture.dark {
			args = append(args, "--blink-settings=preferredColorScheme=0")
		}
		chromium(t, append(args, serve(t, picture.stage.handler())+"/?hold")...)
	}
}

// DNS rebinding: a name of another site that resolves to the page's address.
func TestABrowserLedHereByANameOfAnotherSiteSeesNothing(t *testing.T) {
	_, port, err := net.SplitHostPort(strings.TrimPrefix(serve(t, outage().handler()), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	lead := "--host-resolver-rules=MAP *.example.org 127.0.0.1"
	rebound := string(chromium(t, lead, "--dump-dom", "http://rebound.example.org:"+port+"/"))
	if strings.Contains(rebound, "incident") || !strings.Contains(rebound, "this page answers to IP addresses") {
		t.Errorf("the other site's page can read: %.300s", rebound)
	}
	if own := string(chromium(t, lead, "--dump-dom", "http://127.0.0.1:"+port+"/?hold")); !strings.Contains(own, "incident is active") {
		t.Errorf("by its address it shows %.300s", own)
	}
}
