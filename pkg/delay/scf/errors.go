package scf

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	sdkerrors "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"
)

// Error is a refusal of the API, or an answer that is none of it. Its text holds nothing of the other side but code and
// request id: the SDK's holds whole answers.
type Error struct {
	Code      string
	RequestID string
}

// Error implements error.
func (e *Error) Error() string {
	text := "SCF API: " + e.Code
	if e.RequestID != "" {
		text += " (request " + e.RequestID + ")"
	}
	if hint := hintOf(e.Code); hint != "" {
		text += ": " + hint
	}
	return text
}

var errCredentials = errors.New("no credentials")

// The codes that the SDK makes itself.
const (
	codeNetwork    = "ClientError.NetworkError"
	codeHTTPStatus = "ClientError.HttpStatusCodeError"
	codeParse      = "ClientError.ParseJsonError"
	codeIO         = "ClientError.IOError"
	codeNotTheAPI  = "ClientError.NotTheAPI" // ours
)

// hints say what to do about a code, by what it begins with (doc 583/17243, "Error Code").
var hints = []struct{ code, hint string }{
	{"AuthFailure", "the credentials were refused; does the function have a role, and is this machine's clock right?"},
	{"UnauthorizedOperation", "the function's role lacks the right to invoke this function"},
	{"ResourceNotFound", "no such function, namespace or version in this region; look at KYC_PULL_FUNCTION"},
	{"RequestLimitExceeded", "the account makes too many calls a second"},
	{"LimitExceeded", "a quota of the account is used up"},
	{"ResourceUnavailable", "the function can not be invoked now; is it deployed, and is the account in credit?"},
	{"FailedOperation", "the function can not be invoked now; look at it in the console"},
	{codeHTTPStatus, "what answers is not the API, or is in trouble; look at KYC_SCF_ENDPOINT"},
	{codeParse, "what answers is not the API; look at KYC_SCF_ENDPOINT"},
	{codeNotTheAPI, "what answers is not the API; look at KYC_SCF_ENDPOINT"},
}

func hintOf(code string) string {
	for _, h := range hints {
		if strings.HasPrefix(code, h.code) {
			return h.hint
		}
	}
	return ""
}

// explain makes our error of the SDK's.
func explain(err error) error {
	told, ok := errors.AsType[*sdkerrors.TencentCloudSDKError](err)
	if !ok {
		return &Error{Code: codeNotTheAPI}
	}
	if told.Code != codeNetwork {
		return &Error{Code: clean(told.Code), RequestID: clean(told.RequestId)}
	}
	if cause := causeOf(err); cause != nil {
		return fmt.Errorf("reach SCF API: %w", cause)
	}
	return errors.New("reach SCF API: no answer")
}

// causeOf finds why there was no answer, without the URL that net/http puts before it.
func causeOf(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return nil
}

// clean keeps what a code or an id can hold: it is of the other side, and goes into the log.
func clean(s string) string {
	s = strings.Map(func(c rune) rune {
		if c == '.' || c == '-' || c == '_' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
			return c
		}
		return -1
	}, s)
	return s[:min(len(s), 100)]
}

// passing tells whether the same call may go well in a moment. A side that is silent is not asked again: the webhook's caller
// would wait for that, and the order has its marker.
func passing(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, errCredentials) {
		return false
	}
	if silent, ok := errors.AsType[net.Error](err); ok && silent.Timeout() {
		return false
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return true // no answer
	}
	for _, code := range []string{"RequestLimitExceeded", "InternalError", codeHTTPStatus, codeParse, codeIO} {
		if strings.HasPrefix(e.Code, code) {
			return true
		}
	}
	return false
}

// hopeless tells whether every other event would fail alike.
func hopeless(err error) bool {
	if errors.Is(err, errCredentials) {
		return true
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return false
	}
	for _, code := range []string{"AuthFailure", "UnauthorizedOperation", "ResourceNotFound"} {
		if strings.HasPrefix(e.Code, code) {
			return true
		}
	}
	return false
}
