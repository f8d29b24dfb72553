package faceidtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/kycvault/kycvault/pkg/secret"
)

// control serves /_sim/: what the methods of Server do, over HTTP, to callers on this machine only.
func (s *Server) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /_sim/orders", command(s.orderCommand))
	mux.HandleFunc("POST /_sim/faults", command(s.faultCommand))
	mux.HandleFunc("DELETE /_sim/faults", plain(s.ClearFaults))
	mux.HandleFunc("POST /_sim/ticket/kill", plain(s.KillTicket))
	mux.HandleFunc("POST /_sim/token/kill", plain(s.KillToken))
	mux.HandleFunc("POST /_sim/ticket/other", plain(s.OtherRefresh))
	mux.HandleFunc("POST /_sim/secret", command(s.secretCommand))
	mux.HandleFunc("POST /_sim/busy", command(s.busyCommand))
	mux.HandleFunc("GET /_sim/history", s.showHistory)
	mux.HandleFunc("GET /_sim/stats", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Stats()) })
	mux.HandleFunc("GET /_sim/cases", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, Cases()) })
	mux.HandleFunc("GET /_sim/redirect", s.showRedirect)
	return localOnly(mux)
}

// localOnly refuses callers from elsewhere, names that somebody else's DNS may have pointed here, and web pages.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(r.RemoteAddr) || !isLoopback(r.Host) || r.Header.Get("Origin") != "" {
			http.Error(w, "/_sim/ answers to programs on this machine only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLoopback tells whether an address, with or without a port, is this machine's own.
func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = strings.Trim(addr, "[]")
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

type orderCommand struct {
	Order   string    `json:"orderNo"`
	EndedAt time.Time `json:"endedAt"` // left out: now
	Photo   []byte    `json:"photo"`   // Base64; one of the two given: SetMedia
	Video   []byte    `json:"video"`
}

func (s *Server) orderCommand(c orderCommand) error {
	if !isOrder(c.Order) {
		return errors.New("orderNo must be 1 to 32 letters and digits")
	}
	if c.EndedAt.IsZero() {
		c.EndedAt = s.now()
	}
	s.EndCheck(c.Order, c.EndedAt)
	if c.Photo != nil || c.Video != nil {
		s.SetMedia(c.Order, c.Photo, c.Video)
	}
	return nil
}

type faultCommand struct {
	Route  Route   `json:"route"`
	Order  string  `json:"orderNo"`
	Skip   int     `json:"skip"`
	Times  int     `json:"times"`
	Rate   float64 `json:"rate"`
	Delay  string  `json:"delay"` // "1.5s"
	Code   string  `json:"code"`
	Status int     `json:"status"`
	Body   string  `json:"body"`
	Reset  bool    `json:"reset"`
	After  bool    `json:"after"`
}

func (s *Server) faultCommand(c faultCommand) error {
	f := Fault{Route: c.Route, Order: c.Order, Skip: c.Skip, Times: c.Times, Rate: c.Rate,
		Code: c.Code, Status: c.Status, Body: c.Body, Reset: c.Reset, After: c.After}
	if c.Delay != "" {
		d, err := time.ParseDuration(c.Delay)
		if err != nil {
			return fmt.Errorf("read delay: %w", err)
		}
		f.Delay = d
	}
	return s.AddFault(f)
}

type secretCommand struct {
	Secret string `json:"secret"`
}

func (s *Server) secretCommand(c secretCommand) error {
	if c.Secret == "" {
		return errors.New("secret must not be empty")
	}
	s.ChangeSecret(secret.New(c.Secret))
	return nil
}

type busyCommand struct {
	On bool `json:"on"`
}

func (s *Server) busyCommand(c busyCommand) error {
	s.Busy(c.On)
	return nil
}

// showHistory gives the history, or one order's part of it.
func (s *Server) showHistory(w http.ResponseWriter, r *http.Request) {
	calls := s.History()
	if order := r.FormValue("orderNo"); order != "" {
		calls = slices.DeleteFunc(calls, func(c Call) bool { return c.Order != order })
	}
	writeJSON(w, calls)
}

// showRedirect gives the query of an H5 redirect as text: what a browser would call the webhook with.
func (s *Server) showRedirect(w http.ResponseWriter, r *http.Request) {
	redirect := s.RedirectQuery
	if r.FormValue("pc") != "" {
		redirect = s.RedirectQueryPC
	}
	q, err := redirect(r.FormValue("orderNo"), r.FormValue("code"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	_, _ = io.WriteString(w, q.Encode()+"\n")
}

// maxCommand bounds a control body; it may hold a video.
const maxCommand = 256 << 20

// command reads a JSON body and does what it says: 204, or 400 with the reason.
func command[T any](do func(T) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var c T
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxCommand))
		d.DisallowUnknownFields()
		err := d.Decode(&c)
		if err == nil {
			err = do(c)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// plain does what needs no body.
func plain(do func()) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		do()
		w.WriteHeader(http.StatusNoContent)
	}
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // the caller may have gone
}
