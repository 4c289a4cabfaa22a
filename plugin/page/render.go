package page

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strings"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// refreshSeconds is how often the page loads itself anew, unless asked not to.
const refreshSeconds = 15

var (
	//go:embed assets/style.css
	style []byte
	//go:embed assets/icon.svg
	icon []byte

	//go:embed assets/*.html
	assets    embed.FS
	templates = template.Must(template.New("").Funcs(template.FuncMap{
		"grouped": grouped,
		// A template takes one argument, and a card needs the present as well.
		"pair": func(c card, now moment) cardNow { return cardNow{c, now} },
	}).ParseFS(assets, "assets/*.html"))
)

type cardNow struct {
	Card card
	Now  moment
}

func (h *handler) overview(w http.ResponseWriter, r *http.Request) {
	refresh := refreshSeconds
	if r.URL.Query().Has("hold") {
		refresh = 0
	}
	render(w, "page.html", h.view(h.Snapshot(), refresh))
}

// explanation is the data of cause.html.
type explanation struct {
	*cause.Cause
	Host, CodeName string
	Advice, Text   string
	Open           []card
	Now            moment
}

// cause writes the catalog's explanation of one cause, or reports false.
func (h *handler) cause(w http.ResponseWriter, id string) bool {
	c := cause.ByID(id)
	if c == nil {
		return false
	}
	s := h.Snapshot()
	e := explanation{
		Cause: c, Host: h.Host, CodeName: option.Name(c.Code), Advice: strings.TrimSpace(c.Advice), Text: c.Brief, Now: moment{s.Now},
	}
	cards, _ := cardsOf(s, s.Open)
	for _, one := range cards {
		if one.Cause == id {
			e.Open = append(e.Open, one)
		}
	}
	render(w, "cause.html", e)
	return true
}

func render(w http.ResponseWriter, name string, data any) {
	var page bytes.Buffer
	if err := templates.ExecuteTemplate(&page, name, data); err != nil {
		http.Error(w, "the page cannot be written", http.StatusInternalServerError)
		return
	}
	write(w, "text/html; charset=utf-8", page.Bytes())
}
