package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ship puts a file into the store, and counts ede's lines.
func ship(ctx context.Context, name string) (ours int, err error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if bytes.Contains(lines.Bytes(), []byte(`"plugin":"ede"`)) {
			ours++
		}
	}
	if err := firstOf(lines.Err(), rewind(f)); err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/insert/jsonline?_time_field=time&_msg_field=msg&_stream_fields=cluster,instance,plugin&extra_fields=cluster=test", f)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/stream+json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("the store answers %s", resp.Status)
	}
	return ours, nil
}

func rewind(f *os.File) error {
	_, err := f.Seek(0, io.SeekStart)
	return err
}

func get(path string) (string, error) {
	resp, err := http.Get("http://" + addr + path)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", path, resp.Status)
	}
	return string(text), err
}

// until waits for a condition, for as long as a slow machine may take.
func until(ctx context.Context, ask func() bool) error {
	ctx, stop := context.WithTimeout(ctx, 10*time.Minute)
	defer stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !ask() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the store: %w", ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

// metric adds up the numbers that the store tells of itself whose names begin so.
func metric(names ...string) (n float64, err error) {
	text, err := get("/metrics")
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if slices.ContainsFunc(names, func(begin string) bool { return strings.HasPrefix(name, begin) }) {
			one, _ := strconv.ParseFloat(value, 64)
			n += one
		}
	}
	return n, err
}

// quietLooks is at how many looks in a row the store has nothing to write: the next merge of
// files begins soon after the one before.
const quietLooks = 20

// settled waits until the store has written so many rows into files, and is done with merging
// them, and returns the size of its files.
func settled(ctx context.Context, dir string, rows int) (int64, error) {
	quiet := 0
	err := until(ctx, func() bool {
		written, err := metric(`vl_storage_rows{type="storage/small"}`, `vl_storage_rows{type="storage/big"}`)
		left, leftErr := metric(`vl_storage_rows{type="storage/inmemory"}`, `vl_pending_rows{type="storage"}`, `vl_active_merges{type="storage/`)
		if quiet++; firstOf(err, leftErr) != nil || written < float64(rows) || left > 0 {
			quiet = 0
		}
		return quiet == quietLooks
	})
	return tree(dir), err
}

// storeProcess is the store that runs.
var storeProcess int

// spent is the CPU that the store has used, as the kernel counts it: its own metric is worked
// out only now and then.
func spent() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", storeProcess))
	if err != nil {
		return 0
	}
	// proc(5): the name of the program, in parentheses, may have spaces.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	const tick = 10 * time.Millisecond
	return time.Duration(user+system) * tick
}

// leanest is the CPU of counting failures by cause.
func leanest() (time.Duration, error) {
	const times = 20
	before := spent()
	for range times {
		if _, err := get("/select/logsql/query?query=" + url.QueryEscape(`plugin:="ede" rcode:* qname:* | stats by (cause) count() as n`)); err != nil {
			return 0, err
		}
	}
	return (spent() - before) / times, nil
}

// summedUp reports whether the store has sums of so many lines, and how many rows an hour has
// at most.
func summedUp(lines int) (rows int, done bool) {
	text, err := get("/select/logsql/query?query=" + url.QueryEscape(`{plugin="ede_hourly",table="whole"} | stats sum(lines) as lines, max(rows) as rows`))
	var of struct {
		Lines, Rows int `json:",string"`
	}
	if err != nil || json.Unmarshal([]byte(text), &of) != nil {
		return 0, false
	}
	return of.Rows, of.Lines == lines
}

// tree is how much the files below dir hold.
func tree(dir string) (total int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total
}
