package victorialogs

import (
	"fmt"
	"net/http"
	"strings"
)

// What a proxy before the store asks for is read from the environment, where the
// list of processes does not show it.
const (
	// AuthorizationVariable is the value of the header Authorization.
	AuthorizationVariable = "EDE_STORE_AUTHORIZATION"
	// HeadersVariable has further headers, one "Name: value" a line: AccountID and
	// ProjectID choose the tenant.
	HeadersVariable = "EDE_STORE_HEADERS"
)

// Header reads the headers from the environment, which getenv looks up.
func Header(getenv func(string) string) (http.Header, error) {
	h := make(http.Header)
	for line := range strings.Lines(getenv(HeadersVariable)) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !ok || name == "" || strings.ContainsAny(name, " \t") {
			// The value may be a secret, and so may a line that has lost its name.
			return nil, fmt.Errorf("%s has a line that is no header: want \"Name: value\", one a line", HeadersVariable)
		}
		h.Add(name, strings.TrimSpace(value))
	}
	if auth := getenv(AuthorizationVariable); auth != "" {
		h.Set("Authorization", strings.TrimSpace(auth))
	}
	return h, nil
}
