package webhook

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/kycvault/kycvault/pkg/secret"
)

// The routes, as the log names them.
const (
	routeCompletions = "/v1/completions"
	routeOrder       = "/v1/orders/{orderNo}"
	routeTicket      = "/v1/ticket"
	routeHealth      = "/healthz"
	routeNone        = "none"
)

// Handler answers the requests of DESIGN section 6. It is safe for concurrent use.
type Handler struct {
	mux  *http.ServeMux
	lost http.Handler // for what leads nowhere

	appID       string
	auth        Auth
	tokens      *tokens
	hooks       *standardHooks
	redirect    *url.URL
	origins     map[string]bool
	ticketToken secret.Text

	intake  Intake
	orders  Orders
	tickets Tickets
	pair    PairSource

	now func() time.Time
	log *slog.Logger
}

// New checks the configuration and makes a Handler. The error lists every mistake and shows no secret. New can not see
// where a server listens: with NoProof, the caller asks LoopbackOnly.
func New(c Config) (*Handler, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("make webhook: %w", err)
	}
	h := &Handler{
		mux: http.NewServeMux(), appID: c.AppID, auth: c.Auth, redirect: c.Redirect, origins: map[string]bool{},
		ticketToken: c.TicketToken, intake: c.Intake, orders: c.Orders, tickets: c.Tickets, pair: c.Pair,
		now: c.Now, log: c.Log,
	}
	if h.now == nil {
		h.now = time.Now
	}
	if h.log == nil {
		h.log = slog.Default()
	}
	for _, origin := range c.Origins {
		h.origins[origin] = true
	}
	if err := h.setKeys(c.Keys); err != nil {
		return nil, fmt.Errorf("make webhook: %w", err)
	}
	h.addRoutes()
	return h, nil
}

func (h *Handler) setKeys(texts []secret.Text) error {
	keys, err := keyBytes(h.auth, texts)
	if err != nil {
		return err
	}
	h.tokens = newTokens(keys, h.now)
	h.hooks, err = newStandardHooks(keys, h.now)
	return err
}

func (h *Handler) addRoutes() {
	h.lost = h.edge(routeNone, func(*http.Request, *note) (reply, error) {
		return reply{}, refuse(badRoute, "There is nothing here.", nil)
	})
	h.mux.Handle("/", h.lost)
	h.route(routeHealth, "GET, HEAD", map[string]endpoint{"GET": health})
	// HEAD is not among the methods here: what fetches a page's headers only, a link preview say, must not start work.
	h.route(routeCompletions, "GET, OPTIONS, POST", map[string]endpoint{"GET": h.redirected, "POST": h.completed})
	h.route(routeOrder, "GET, HEAD, OPTIONS", map[string]endpoint{"GET": h.status})
	if !h.ticketToken.Empty() {
		h.route(routeTicket, "GET, HEAD", map[string]endpoint{"GET": h.newestPair})
	}
}

// route registers a path's methods. allow is the truth: a method that is not in it is refused, OPTIONS in it is answered, and
// makes the route one that pages of the configured origins may call.
func (h *Handler) route(path, allow string, endpoints map[string]endpoint) {
	shared := func(next http.Handler) http.Handler { return next }
	if strings.Contains(allow, http.MethodOptions) {
		shared = h.shared
		endpoints[http.MethodOptions] = h.options(allow)
	}
	refused := shared(h.edge(path, func(*http.Request, *note) (reply, error) {
		return reply{}, &refusal{kind: badMethod, detail: "Allowed here: " + allow + ".", allow: allow}
	}))
	h.mux.Handle(path, refused)
	if !strings.Contains(allow, http.MethodHead) {
		h.mux.Handle("HEAD "+path, refused) // else a GET pattern takes it too
	}
	for method, e := range endpoints {
		h.mux.Handle(method+" "+path, shared(h.edge(path, e)))
	}
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A ServeMux sends unclean paths elsewhere, with a page of its own. Here they are simply wrong.
	if p := r.URL.EscapedPath(); path.Clean(p) != p || r.RequestURI == "*" {
		h.lost.ServeHTTP(w, r)
		return
	}
	h.mux.ServeHTTP(w, r)
}

func health(*http.Request, *note) (reply, error) {
	return reply{status: http.StatusOK, body: struct {
		Status string `json:"status"`
	}{"ok"}}, nil
}
