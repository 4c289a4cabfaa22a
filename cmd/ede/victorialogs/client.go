// Package victorialogs asks a VictoriaLogs store, a single node or the vlselect of
// a cluster, over its HTTP API:
// https://docs.victoriametrics.com/victorialogs/querying/#http-api
//
// An answer is whole or an error. What a store says is hostile: texts that
// become part of an error hold printable characters only.
package victorialogs

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	queryPath = "/select/logsql/query"
	// streamType is the content type of rows, one JSON object a line.
	streamType = "application/stream+json"
	// maxRow is far above a row of any query here.
	maxRow = 4 << 20
	// maxSaid bounds what is quoted of an answer that is no rows.
	maxSaid = 300
	// maxAnswer bounds what is read of such an answer.
	maxAnswer = 64 << 10
	// graceful is how much sooner than the client the store gives up, so that it is
	// the store that says why.
	graceful = time.Second
)

// A Client asks one store. It is safe for concurrent use.
type Client struct {
	base     string
	endpoint string
	header   http.Header
	http     *http.Client
	// Partial accepts answers of a cluster some of whose storage nodes are down.
	// Without it such an answer is ErrNodeDown.
	Partial bool
}

// New returns a client of the store at address, "http://HOST:PORT", with the path
// of a proxy before it or without. Each request bears header.
func New(address string, header http.Header) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is not the address of a store: want a URL, for example http://victorialogs:9428", address)
	}
	if u.User != nil {
		return nil, fmt.Errorf("%s has a password in it, which other users of this machine can see: put it into %s", u.Redacted(), AuthorizationVariable)
	}
	path := strings.TrimRight(u.Path, "/")
	for _, suffix := range []string{queryPath, "/select/vmui"} {
		path = strings.TrimSuffix(path, suffix)
	}
	u.Path, u.RawQuery, u.ForceQuery, u.Fragment = path, "", false, ""
	base := u.String()
	return &Client{base: base, endpoint: base + queryPath, header: maps.Clone(header), http: &http.Client{
		// A header for the store must not go to whomever it points to.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Query runs query (LogsQL) and hands each row to take, in the order of the
// answer. The error says whether the store was out of reach, slow, refused, or is
// something else; rows that were taken before it are not the whole answer.
func (c *Client) Query(ctx context.Context, query string, take func(Row) error) error {
	form := url.Values{"query": {query}, "allow_partial_response": {"0"}}
	if c.Partial {
		form.Set("allow_partial_response", "1")
	}
	if deadline, ok := ctx.Deadline(); ok {
		if left := time.Until(deadline) - graceful; left > 0 {
			form.Set("timeout", left.Round(time.Millisecond).String())
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	maps.Copy(req.Header, c.header)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := c.http.Do(req)
	if err != nil {
		return c.unreached(ctx, err)
	}
	defer resp.Body.Close()
	if err := c.refused(resp); err != nil {
		return err
	}
	return c.rows(ctx, resp.Body, take)
}

func (c *Client) rows(ctx context.Context, body io.Reader, take func(Row) error) error {
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 0, 64<<10), maxRow)
	n := 0
	for lines.Scan() {
		var r Row
		// An error that the store meets after its first row stands between rows.
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("the store at %s says after %d rows: %q", c.base, n, said(lines.Bytes()))
		}
		if err := take(r); err != nil {
			return err
		}
		n++
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("the store at %s sends a row that is longer than %d octets", c.base, maxRow)
	case err != nil:
		return c.unreached(ctx, fmt.Errorf("its answer broke off after %d rows: %w", n, err))
	}
	return nil
}

// refused says what an answer is that has no rows.
func (c *Client) refused(resp *http.Response) error {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if resp.StatusCode == http.StatusOK && kind == streamType {
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	answer := fmt.Sprintf("the store at %s answers %s: %q", c.base, resp.Status, said(reason(text)))
	switch resp.StatusCode {
	case http.StatusOK:
		return fmt.Errorf("%s is not VictoriaLogs: it answers with %q", c.base, said([]byte(resp.Header.Get("Content-Type"))))
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%s: set %s, as \"Bearer TOKEN\"", answer, AuthorizationVariable)
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusBadRequest:
		return fmt.Errorf("%s: is this VictoriaLogs, and does it answer queries (-select.disable)?", answer)
	case http.StatusBadGateway:
		if !c.Partial {
			return &nodeDown{answer}
		}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return fmt.Errorf("%s: try again, or ask for less with --since", answer)
	}
	if to := resp.Header.Get("Location"); to != "" {
		return fmt.Errorf("%s answers %s to %q, which is not followed: name the store itself", c.base, resp.Status, said([]byte(to)))
	}
	return errors.New(answer)
}

// reason is what went wrong, without the query that VictoriaLogs repeats before it.
func reason(text []byte) []byte {
	if at := bytes.LastIndex(text, []byte("]: ")); at >= 0 && bytes.HasPrefix(text, []byte("cannot execute query [")) {
		return text[at+len("]: "):]
	}
	return text
}

// unreached says why no answer came.
func (c *Client) unreached(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("the store at %s gives no whole answer in time: ask for less with --since, or give it more with --timeout", c.base)
	case ctx.Err() != nil:
		return ctx.Err()
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return fmt.Errorf("the store at %s does not answer: %w", c.base, err)
}

// ErrNodeDown is what a cluster answers if a storage node is out of reach and
// parts are not accepted.
var ErrNodeDown = errors.New("a storage node is down")

type nodeDown struct{ answer string }

func (e *nodeDown) Error() string        { return e.answer }
func (e *nodeDown) Is(target error) bool { return target == ErrNodeDown }

// said makes text fit for a terminal, and short.
func said(text []byte) string {
	clean := strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if !strconv.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(text), ""))
	clean = strings.TrimSpace(clean)
	if runes := []rune(clean); len(runes) > maxSaid {
		return string(runes[:maxSaid]) + "…"
	}
	return clean
}
