package webhook

import (
	"net/http"
	"time"
)

// maxBody is the longest request body (DESIGN section 6). An order number needs 50 bytes; the rest is for what others add.
const maxBody = 16 << 10

// maxHeader leaves room for a JWT, the H5 redirect's query and a proxy's own headers, and for nothing else. net/http
// allows itself 4 KiB more.
const maxHeader = 16 << 10

// workTimeout bounds one completion or look-up: a few requests to the store, with its retries.
const workTimeout = 15 * time.Second

// NewServer makes a server with limits for the open internet; the caller sets its address and listens.
func NewServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:                      handler,
		MaxHeaderBytes:               maxHeader,
		ReadHeaderTimeout:            5 * time.Second,  // who sends headers a byte at a time holds a connection no longer
		ReadTimeout:                  10 * time.Second, // header and body: 32 KiB on a bad mobile network
		WriteTimeout:                 10*time.Second + workTimeout + 5*time.Second,
		IdleTimeout:                  75 * time.Second, // longer than a load balancer's usual 60 s, so that it closes first
		DisableGeneralOptionsHandler: true,             // OPTIONS * gets our answer, with our headers
	}
}
