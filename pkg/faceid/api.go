// Package faceid is the client of the face check service: Tencent Cloud eKYC, SaaS dialect (PROTOCOL). It signs,
// speaks both query dialects, and decodes a reply as a stream: media go from the socket to a kyc.Sink in constant memory.
//
// The service signs in the URL and puts secrets there, so no error of this package holds a URL, nor any text of the
// other side that could repeat one.
package faceid

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Dialect is the way a query is asked (PROTOCOL section 1).
type Dialect string

// The dialects: KYC_API of DESIGN section 6.
const (
	Sync       Dialect = "sync"       // GET /api/server/sync
	FaceRecord Dialect = "facerecord" // POST /api/v2/base/queryfacerecord
)

// version is what every request says and signs.
const version = "1.0.0"

// Config says which service to ask, and as whom.
type Config struct {
	AppID   string  // WBappid
	BaseURL string  // an origin: http or https, host, port; no path
	Dialect Dialect // "" is Sync
	Limits  Limits

	// Rand makes nonces; nil is crypto/rand. It must be safe for use by many goroutines.
	Rand io.Reader
	// Transport replaces our own; then Limits.Connect and Limits.Header are up to it.
	Transport *http.Transport
}

// Limits bound an exchange with the service. A zero field has its default. How long a whole exchange may take is for the
// caller's context to say.
type Limits struct {
	Connect time.Duration // to connect, and again for the TLS handshake: 10 s
	Header  time.Duration // from the request sent to the reply's header: 30 s
	Stall   time.Duration // without a byte of the body: 30 s
	Body    int64         // bytes of a query's reply, before and after decompression: 512 MiB
}

func (l Limits) orDefault() Limits {
	return Limits{
		Connect: orDefault(l.Connect, 10*time.Second),
		Header:  orDefault(l.Header, 30*time.Second),
		Stall:   orDefault(l.Stall, 30*time.Second),
		Body:    orDefault(l.Body, 512<<20),
	}
}

func orDefault[T int64 | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}

// API makes the service's calls for one app id. It holds no ticket; Client does. It is safe for use by many goroutines.
type API struct {
	appID   string
	base    url.URL
	dialect Dialect
	limits  Limits
	random  io.Reader
	client  *http.Client
}

// New checks c. It opens no connection.
func New(c Config) (*API, error) {
	base, err := origin(c.BaseURL)
	if err != nil {
		return nil, err
	}
	if c.AppID == "" {
		return nil, errors.New("app id is empty")
	}
	a := &API{appID: c.AppID, base: *base, dialect: c.Dialect, limits: c.Limits.orDefault(), random: c.Rand}
	if a.dialect == "" {
		a.dialect = Sync
	}
	if a.dialect != Sync && a.dialect != FaceRecord {
		return nil, fmt.Errorf("dialect must be %s or %s", Sync, FaceRecord)
	}
	if a.random == nil {
		a.random = rand.Reader
	}
	transport := c.Transport
	if transport == nil {
		transport = newTransport(a.limits)
	}
	a.client = &http.Client{Transport: transport, CheckRedirect: stay}
	return a, nil
}

// Host is the host asked, with its port where it has one: the manifest's source.
func (a *API) Host() string { return a.base.Host }

// origin parses a base URL. Its errors do not repeat it, since it may hold a password by mistake.
func origin(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, errors.New("base URL is not a URL")
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("base URL must begin with https:// or http://")
	case u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/":
		return nil, errors.New("base URL must be a scheme and a host, nothing else")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// stay makes the client hand redirects back: a signed URL is for the host it was made for.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// newTransport is made for few hosts and large replies: connections are kept, but not for as long as servers and frozen
// functions let them die unseen; HTTP/1.1 only, since one large body a connection gains nothing from HTTP/2's windows.
func newTransport(l Limits) *http.Transport {
	dialer := &net.Dialer{Timeout: l.Connect, KeepAlive: 30 * time.Second}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    l.Connect,
		ResponseHeaderTimeout:  l.Header,
		ExpectContinueTimeout:  time.Second,
		MaxIdleConns:           32,
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        50 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
		Protocols:              protocols,
	}
}

// request makes a request for a path of the service. Whoever gets an error from http.NewRequest gets none of its text.
func (a *API) request(ctx context.Context, method, path string, query url.Values, body io.Reader) (*http.Request, error) {
	u := a.base
	u.Path = path
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, errors.New("make request: not a valid one")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Accept-Encoding", "identity") // Base64 of compressed media does not compress well
	req.Header.Set("User-Agent", "kycvault")
	return req, nil
}
