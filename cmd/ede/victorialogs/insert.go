package victorialogs

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
)

const insertPath = "/insert/jsonline"

// Insert stores the rows that produce adds, in streams by the fields that are named. Each
// row has _time and _msg. What was added before an error may be stored:
// https://docs.victoriametrics.com/victorialogs/data-ingestion/#json-stream-api
func (c *Client) Insert(ctx context.Context, streams []string, produce func(add func(Row) error) error) error {
	body, rows := io.Pipe()
	failed := make(chan error, 1)
	go func() {
		out := bufio.NewWriterSize(rows, 64<<10)
		lines := json.NewEncoder(out)
		err := produce(func(r Row) error { return lines.Encode(r) })
		if err == nil {
			err = out.Flush()
		}
		rows.CloseWithError(err)
		failed <- err
	}()
	err := c.insert(ctx, streams, body)
	body.CloseWithError(io.ErrClosedPipe)
	// What the rows could not be made for says more than that they did not come.
	if cause := <-failed; cause != nil && (err == nil || !errors.Is(cause, io.ErrClosedPipe)) {
		return cause
	}
	return err
}

func (c *Client) insert(ctx context.Context, streams []string, body io.Reader) error {
	fields := url.Values{"_time_field": {"_time"}, "_msg_field": {"_msg"}, "_stream_fields": {strings.Join(streams, ",")}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+insertPath+"?"+fields.Encode(), body)
	if err != nil {
		return err
	}
	maps.Copy(req.Header, c.header)
	req.Header.Set("Content-Type", streamType)
	resp, err := c.http.Do(req)
	if err != nil {
		return c.unreached(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusNoContent {
		_, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
		return err
	}
	return c.refused(resp)
}
