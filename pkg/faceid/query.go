package faceid

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/secret"
)

const (
	syncPath       = "/api/server/sync"
	faceRecordPath = "/api/v2/base/queryfacerecord"
)

// maxErrorBody bounds the body of a reply that cannot be evidence, in bytes.
const maxErrorBody = 1 << 20

// Query asks once about an order, with the given ticket. A nil sink drops media. The error is a *kyc.UpstreamError, unless the
// sink failed (then it wraps a *SinkError) or there was no randomness; it wraps kyc.ErrForeign if the reply was about
// another order. A reply of class Ticket is no error.
func (a *API) Query(ctx context.Context, ticket secret.Text, order archive.Order, want kyc.Media, sink kyc.Sink) (kyc.Reply, error) {
	x, q, err := a.ask(ctx, ticket, order, want)
	if errors.Is(err, errConnDied) {
		x, q, err = a.ask(ctx, ticket, order, want) // with a nonce of its own
	}
	if err != nil {
		return kyc.Reply{}, err
	}
	defer x.end()
	shown := func(msg string) string { return cleanMsg(msg, ticket.Reveal(), q.Sign, q.Nonce) }
	if !successful(x.res.StatusCode) {
		return kyc.Reply{}, a.refusal(x, order, shown)
	}
	return a.reply(x, order, sink, shown)
}

// ask signs a query with a fresh nonce, sends it, and waits for the reply's header.
func (a *API) ask(ctx context.Context, ticket secret.Text, order archive.Order, want kyc.Media) (*exchange, query, error) {
	nonce, err := Nonce(a.random)
	if err != nil {
		return nil, query{}, err
	}
	q := query{
		AppID: a.appID, Version: version, Nonce: nonce, Order: string(order), GetFile: getFile(want),
		Sign: Sign(a.appID, string(order), version, ticket.Reveal(), nonce),
	}
	req, err := a.queryRequest(ctx, q)
	if err != nil {
		return nil, query{}, fmt.Errorf("query %s: %w", a.base.Host, err)
	}
	x, err := a.begin(req)
	if err != nil {
		return nil, query{}, transient(fmt.Errorf("query %s: %w", a.base.Host, err))
	}
	return x, q, nil
}

// query holds a query's values; its JSON is the body of the facerecord dialect.
type query struct {
	AppID        string `json:"appId"`
	Version      string `json:"version"`
	Nonce        string `json:"nonce"`
	Order        string `json:"orderNo"`
	Sign         string `json:"sign"`
	GetFile      string `json:"getFile,omitempty"`
	QueryVersion string `json:"queryVersion"`
}

// getFile is get_file and getFile: absent for no media (PROTOCOL section 1).
func getFile(want kyc.Media) string {
	switch want & (kyc.Photo | kyc.Video) {
	case kyc.Photo | kyc.Video:
		return "1"
	case kyc.Photo:
		return "2"
	case kyc.Video:
		return "3"
	}
	return ""
}

func (a *API) queryRequest(ctx context.Context, q query) (*http.Request, error) {
	if a.dialect == FaceRecord {
		return a.faceRecordRequest(ctx, q)
	}
	values := url.Values{
		"app_id": {q.AppID}, "nonce": {q.Nonce}, "order_no": {q.Order}, "version": {q.Version}, "sign": {q.Sign},
	}
	if q.GetFile != "" {
		values.Set("get_file", q.GetFile)
	}
	return a.request(ctx, http.MethodGet, syncPath, values, nil)
}

func (a *API) faceRecordRequest(ctx context.Context, q query) (*http.Request, error) {
	q.QueryVersion = "1.0"
	body, err := json.Marshal(q)
	if err != nil {
		return nil, errors.New("make request body: not valid JSON")
	}
	req, err := a.request(ctx, http.MethodPost, faceRecordPath, url.Values{"orderNo": {q.Order}}, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	return req, nil
}

// reply reads a successful reply.
func (a *API) reply(x *exchange, order archive.Order, sink kyc.Sink, shown func(string) string) (kyc.Reply, error) {
	if sink == nil {
		sink = discard
	}
	wire, err := a.read(x, order, sink, a.limits.Body)
	if err != nil {
		return kyc.Reply{}, transient(fmt.Errorf("read reply of %s: %w", a.base.Host, err))
	}
	if wire.alien {
		return kyc.Reply{}, &kyc.UpstreamError{Class: kyc.Transient, Code: wire.code, Err: kyc.ErrForeign}
	}
	reply := kyc.Reply{Code: wire.code, Class: ClassOf(wire.code), Msg: shown(wire.msg), Result: wire.fields}
	reply.Occurred = occurred(wire.fields)
	if date, err := http.ParseTime(x.res.Header.Get("Date")); err == nil {
		reply.Date = date
	}
	return reply, nil
}

// refusal makes the error of a reply that is no success. Its media are dropped.
func (a *API) refusal(x *exchange, order archive.Order, shown func(string) string) error {
	wire, err := a.read(x, order, discard, maxErrorBody)
	if err != nil {
		wire = wireReply{} // no JSON, or not all of it: the status speaks alone
	}
	return fmt.Errorf("query %s: %w", a.base.Host, statusError(x.res.StatusCode, wire.code, shown(wire.msg)))
}

func (a *API) read(x *exchange, order archive.Order, sink kyc.Sink, limit int64) (wireReply, error) {
	body, err := x.body(limit)
	if err != nil {
		return wireReply{}, err
	}
	return readReply(body, a.appID, order, sink)
}

func discard(archive.Kind) (io.Writer, error) { return io.Discard, nil }

// occurred is the time of the check as the service wrote it.
func occurred(fields map[string]any) string {
	switch v := fields["occurredTime"].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}
