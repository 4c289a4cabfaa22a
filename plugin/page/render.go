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

const htmlType = "text/html; charset=utf-8"

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

func (h *handler) overview(w http.ResponseWriter, hold bool) {
	key, refresh := "overview", refreshSeconds
	if hold {
		key, refresh = "overview held", 0
	}
	h.serve(w, htmlType, key, func() ([]byte, error) { return render("page.html", h.view(h.Snapshot(), refresh)) })
}

// explanation is the data of cause.html.
type explanation struct {
	*cause.Cause
	Host, CodeName string
	Advice         string
	Open           []card
	Now            moment
}

// cause writes the catalog's explanation of one cause, or reports false.
func (h *handler) cause(w http.ResponseWriter, id string) bool {
	c := cause.ByID(id)
	if c == nil {
		return false
	}
	h.serve(w, htmlType, "cause "+id, func() ([]byte, error) { return render("cause.html", h.explain(c)) })
	return true
}

func (h *handler) explain(c *cause.Cause) explanation {
	s := h.Snapshot()
	e := explanation{
		Cause: c, Host: h.Host, CodeName: option.Name(c.Code), Advice: strings.TrimSpace(c.Advice), Now: moment{s.Now},
	}
	cards, _ := cardsOf(s, s.Open)
	for _, one := range cards {
		if one.Cause == c.ID {
			one.Class = chartOf(s).class(c.ID)
			e.Open = append(e.Open, one)
		}
	}
	return e
}

func render(name string, data any) ([]byte, error) {
	var page bytes.Buffer
	err := templates.ExecuteTemplate(&page, name, data)
	return page.Bytes(), err
}
