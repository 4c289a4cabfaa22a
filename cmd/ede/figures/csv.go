package figures

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

var csvHead = []string{"section", "key", "zone", "count", "over", "cached", "owner", "lasts", "state", "mostly", "first", "last", "text"}

// WriteCSV writes one table (RFC 4180) for all sections, told apart by the
// first column; times are RFC 3339 in UTC.
func (r *Report) WriteCSV(w io.Writer) error {
	rows := [][]string{csvHead, csvRow(map[string]string{
		"section": "total", "count": digits(r.Failures), "cached": digits(r.Cached), "first": stampOf(r.From), "last": stampOf(r.To),
	})}
	for _, c := range r.Causes {
		rows = append(rows, csvRow(map[string]string{
			"section": "cause", "key": c.Cause, "count": digits(c.Count), "cached": digits(c.Cached), "owner": c.Owner,
			"lasts": c.Lasts, "state": c.State, "first": stampOf(c.First), "last": stampOf(c.Last), "text": c.Title,
		}))
	}
	for _, list := range []struct {
		section string
		shares  []Share
	}{{"rcode", r.ByRCode}, {"owner", r.ByOwner}, {"lasts", r.ByLasts}, {"sent", r.BySent}} {
		for _, s := range list.shares {
			rows = append(rows, csvRow(map[string]string{"section": list.section, "key": s.Value, "count": digits(s.Count)}))
		}
	}
	for _, top := range []struct {
		section string
		Top
	}{{"zone", r.Zones}, {"upstream", r.Upstreams}, {"name", r.Names}, {"client", r.Clients}, {"client_namespace", r.Namespaces}, {"client_pod", r.Pods}, {"instance", r.Instances}} {
		for _, i := range top.Items {
			rows = append(rows, csvRow(map[string]string{
				"section": top.section, "key": i.Key, "zone": i.Zone, "count": digits(i.Count), "over": digits(i.Over),
				"cached": digits(i.Cached), "mostly": i.Mostly, "first": stampOf(i.First), "last": stampOf(i.Last),
			}))
		}
	}
	for _, n := range r.New {
		rows = append(rows, csvRow(map[string]string{"section": "new_" + n.What, "key": n.Key, "count": digits(n.Count), "first": stampOf(n.Since)}))
	}
	for _, f := range r.Findings {
		rows = append(rows, csvRow(map[string]string{
			"section": "diagnosis", "key": f.Cause, "zone": f.Zone, "state": f.Result, "count": digits(f.Times), "owner": f.Owner, "last": stampOf(f.Last), "text": f.Text,
		}))
	}
	rows = append(rows, csvRow(map[string]string{"section": "malformed", "count": digits(r.Log.Malformed)}))
	return csv.NewWriter(w).WriteAll(rows)
}

func csvRow(cells map[string]string) []string {
	row := make([]string, len(csvHead))
	for i, head := range csvHead {
		row[i] = inert(cells[head])
	}
	return row
}

// inert keeps a spreadsheet from taking a name that a client has chosen for a
// formula, in full-width form too:
// https://owasp.org/www-community/attacks/CSV_Injection
func inert(cell string) string {
	if first, size := utf8.DecodeRuneInString(cell); size > 0 && strings.ContainsRune("=+-@＝＋－＠", first) {
		return "'" + cell
	}
	return cell
}

func digits(n uint64) string { return strconv.FormatUint(n, 10) }

func stampOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
