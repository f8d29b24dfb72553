package faceid

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/secret"
)

const (
	tokenPath  = "/api/oauth2/access_token"
	ticketPath = "/api/oauth2/api_ticket"
)

// maxOAuthBody bounds a reply with a token or a ticket, in bytes: recorded ones have fewer than 400.
const maxOAuthBody = 64 << 10

// AccessToken asks for a new access token, and for how long it is good, counted from the moment the request was sent. It
// makes the token before it obsolete within a minute, so there must be one refresher for an app id (PROTOCOL section 3).
func (a *API) AccessToken(ctx context.Context, appSecret secret.Text) (secret.Text, time.Duration, error) {
	values := url.Values{
		"app_id": {a.appID}, "secret": {appSecret.Reveal()}, "grant_type": {"client_credential"}, "version": {version},
	}
	reply, err := a.oauth(ctx, tokenPath, values, appSecret)
	if err != nil {
		return secret.Text{}, 0, fmt.Errorf("get access token: %w", err)
	}
	return good("access token", reply.AccessToken, reply.ExpireIn)
}

// SignTicket asks for the SIGN ticket that belongs to an access token, and for how long it is good, counted from the
// moment the request was sent.
func (a *API) SignTicket(ctx context.Context, accessToken secret.Text) (secret.Text, time.Duration, error) {
	values := url.Values{
		"app_id": {a.appID}, "access_token": {accessToken.Reveal()}, "type": {"SIGN"}, "version": {version},
	}
	reply, err := a.oauth(ctx, ticketPath, values, accessToken)
	if err != nil {
		return secret.Text{}, 0, fmt.Errorf("get SIGN ticket: %w", err)
	}
	for _, t := range reply.Tickets {
		if t.Value != "" {
			return good("SIGN ticket", t.Value, t.ExpireIn)
		}
	}
	return good("SIGN ticket", "", "")
}

// oauthReply holds what is used of both replies. expire_time must not be used (PROTOCOL section 3).
type oauthReply struct {
	Code        scalar `json:"code"`
	Msg         scalar `json:"msg"`
	AccessToken string `json:"access_token"`
	ExpireIn    scalar `json:"expire_in"` // seconds
	Tickets     []struct {
		Value    string `json:"value"`
		ExpireIn scalar `json:"expire_in"` // seconds
	} `json:"tickets"`
}

// scalar is a JSON string or number, as its text. Anything else is empty.
type scalar string

// UnmarshalJSON implements json.Unmarshaler.
func (s *scalar) UnmarshalJSON(b []byte) error {
	var v any
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return err
	}
	switch v := v.(type) {
	case string:
		*s = scalar(v)
	case json.Number:
		*s = scalar(v)
	default:
		*s = ""
	}
	return nil
}

// oauth makes one of the two calls; sent is the secret in its URL.
func (a *API) oauth(ctx context.Context, path string, values url.Values, sent secret.Text) (oauthReply, error) {
	req, err := a.request(ctx, http.MethodGet, path, values, nil)
	if err != nil {
		return oauthReply{}, err
	}
	x, err := a.begin(req)
	if err != nil {
		return oauthReply{}, transient(fmt.Errorf("ask %s: %w", a.base.Host, err))
	}
	defer x.end()
	reply, err := readOAuth(x)
	msg := cleanMsg(string(reply.Msg), sent.Reveal())
	switch {
	case !successful(x.res.StatusCode):
		return oauthReply{}, fmt.Errorf("ask %s: %w", a.base.Host, statusError(x.res.StatusCode, string(reply.Code), msg))
	case err != nil:
		return oauthReply{}, transient(fmt.Errorf("read reply of %s: %w", a.base.Host, err))
	case reply.Code != "0":
		return oauthReply{}, &kyc.UpstreamError{Class: oauthClass(string(reply.Code)), Code: string(reply.Code), Err: fmt.Errorf("refused: %s", msg)}
	}
	return reply, nil
}

// oauthClass is ClassOf for calls that are about no order: what would count against one is trouble with the set-up here.
func oauthClass(code string) kyc.Class {
	switch class := ClassOf(code); class {
	case kyc.Pending, kyc.Final:
		return kyc.Config
	default:
		return class
	}
}

// readOAuth reads a small reply. Its errors do not quote it.
func readOAuth(x *exchange) (oauthReply, error) {
	body, err := x.body(maxOAuthBody)
	if err != nil {
		return oauthReply{}, err
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return oauthReply{}, err
	}
	var reply oauthReply
	switch err := json.Unmarshal(text, &reply); {
	case err != nil:
		return oauthReply{}, errJSON
	case reply.Code == "":
		return oauthReply{}, errNoCode
	}
	if err := checkCode(string(reply.Code)); err != nil {
		return oauthReply{}, err
	}
	return reply, nil
}

// maxValidity bounds what is believed of a validity; the service's are an hour or two.
const maxValidity = 30 * 24 * time.Hour

// good checks what was got: a value, and its validity in seconds.
func good(what, value string, expireIn scalar) (secret.Text, time.Duration, error) {
	if value == "" {
		return secret.Text{}, 0, transient(fmt.Errorf("get %s: %w", what, errors.New("it is empty")))
	}
	seconds, err := strconv.ParseFloat(strings.TrimSpace(string(expireIn)), 64)
	if err != nil || !(seconds > 0) {
		return secret.Text{}, 0, transient(fmt.Errorf("get %s: %w", what, errors.New("it has no validity")))
	}
	return secret.New(value), time.Duration(min(seconds, maxValidity.Seconds()) * float64(time.Second)), nil
}
