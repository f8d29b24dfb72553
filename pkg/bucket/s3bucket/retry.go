package s3bucket

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// A call is tried five times: in all up to three seconds of waiting, up to eleven where the store asks for fewer requests.
// That rides out a restart or a burst; anything longer is for the re-fetch, which has minutes. Each wait is random between
// nothing and a bound that doubles.
const (
	attempts   = 5
	firstDelay = 200 * time.Millisecond // the SDK takes a second where the store asks for fewer requests
	maxDelay   = 4 * time.Second
)

// newRetryer says what is worth another try. The SDK's quota of retries is off: after a hundred of them it would fail
// calls at their first 503, and what is under way here is bounded already.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.BaseDelay, o.MaxBackoff = attempts, firstDelay, maxDelay
		o.RateLimiter = ratelimit.None
		o.Retryables = []retry.IsErrorRetryable{
			retry.NoRetryCanceledError{},
			retry.IsErrorRetryableFunc(ours),
			retry.RetryableError{}, // a clock that is off, and has been corrected
			retry.RetryableConnectionError{},
			retry.RetryableHTTPStatusCode{Codes: statusAgain()},
			retry.RetryableErrorCode{Codes: codesAgain()},
		}
	})
}

// ours judges what only this package knows: a body that can not be read, or credentials that can not be had, are no better
// the next time; an answer that was cut short is.
func ours(err error) aws.Ternary {
	if _, ok := errors.AsType[*bodyError](err); ok {
		return aws.FalseTernary
	}
	if _, ok := errors.AsType[*credentialsError](err); ok {
		return aws.FalseTernary
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

func statusAgain() map[int]struct{} {
	return map[int]struct{}{
		http.StatusTooManyRequests: {}, http.StatusInternalServerError: {}, http.StatusBadGateway: {},
		http.StatusServiceUnavailable: {}, http.StatusGatewayTimeout: {},
	}
}

// codesAgain are S3's error codes that stand for "again", whatever their status ("Error responses", Amazon S3).
func codesAgain() map[string]struct{} {
	return map[string]struct{}{
		codeConflict: {}, "OperationAborted": {}, // another write of the key is under way
		"RequestTimeout": {}, "SlowDown": {}, "InternalError": {}, "ServiceUnavailable": {},
	}
}
