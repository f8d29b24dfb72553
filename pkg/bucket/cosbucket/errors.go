package cosbucket

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	cos "github.com/tencentyun/cos-go-sdk-v5"
)

// Kind says what is wrong, for programs: doctor, and whoever decides about another try.
type Kind string

// The kinds of an Error.
const (
	Denied         Kind = "denied"      // the credentials are good, and lack a right
	BadCredentials Kind = "credentials" // wrong, deleted or expired
	BadClock       Kind = "clock"       // this machine's clock and the store's are too far apart
	NoBucket       Kind = "no bucket"
	Taken          Kind = "taken" // 409: an object is there
	Absent         Kind = "absent"
	Busy           Kind = "busy"        // overloaded or broken at the other side: later
	Unreachable    Kind = "unreachable" // no answer: whether the request had its effect is not known
	Refused        Kind = "refused"     // anything else
)

// Error is what COS answered, or that it did not. It holds no text of the other side but Code and RequestID.
type Error struct {
	Kind      Kind
	Status    int           // HTTP; 0 without an answer
	Code      string        // COS "Error Codes"; may be empty
	RequestID string        // what Tencent's support asks for; may be empty
	Cause     error         // without an answer: why
	Skew      time.Duration // of a 403: how far this machine's clock is ahead of the store's
}

// Error implements error: what was answered, and what to do about it.
func (e *Error) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("no answer of COS: %v", e.Cause)
	}
	text := fmt.Sprintf("COS answered %d", e.Status)
	if e.Code != "" {
		text += " " + e.Code
	}
	if e.RequestID != "" {
		text += " (request id " + e.RequestID + ")"
	}
	if advice := e.advice(); advice != "" {
		text += ": " + advice
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

func (e *Error) advice() string {
	switch e.Kind {
	case Denied:
		return "the credentials lack a right on this bucket or key (CAM: cos:PutObject, cos:GetObject, cos:HeadObject, cos:DeleteObject, cos:GetBucket, cos:GetBucketVersioning)"
	case BadCredentials:
		return credentialAdvice(e.Code)
	case BadClock:
		return "this machine's clock and the store's are too far apart" + e.skew() + ": let a time service set this machine's"
	case NoBucket:
		return "there is no such bucket in this region: look at name-appid and region"
	case Busy:
		return "the store is busy or broken: try again later"
	}
	switch {
	case e.Cause != nil:
		return e.Cause.Error()
	case e.Code == "" && e.Status >= 400:
		return errAnswer.Error()
	case e.Code == "InvalidObjectState":
		return "the object was moved to an archive class: restore it first"
	case e.Status >= 300 && e.Status < 400:
		return "the bucket is somewhere else: look at region and endpoint"
	}
	return ""
}

func (e *Error) skew() string {
	switch skew := e.Skew.Round(time.Second); {
	case skew > 0:
		return fmt.Sprintf(" (%s ahead)", skew)
	case skew < 0:
		return fmt.Sprintf(" (%s behind)", -skew)
	}
	return ""
}

func credentialAdvice(code string) string {
	switch code {
	case "InvalidAccessKeyId":
		return "the secret id is not known: deleted, disabled, or of a temporary pair without its token"
	case "SignatureDoesNotMatch":
		return "the secret key does not fit the secret id, or something on the way changed the request"
	default:
		return "the session token has expired or is not this pair's"
	}
}

// kinds maps what COS "Error Codes" and "403 Error for COS Access" list. No document was found that names the code for a dead
// session token: these are those of other products of Tencent and of S3.
var kinds = map[string]Kind{
	"AccessDenied":          Denied,
	"InvalidAccessKeyId":    BadCredentials,
	"SignatureDoesNotMatch": BadCredentials,
	"ExpiredToken":          BadCredentials,
	"InvalidToken":          BadCredentials,
	"TokenExpired":          BadCredentials,
	"InvalidSecurityToken":  BadCredentials,
	"RequestTimeTooSkewed":  BadClock,
	"NoSuchBucket":          NoBucket,
	"NoSuchKey":             Absent,
	"FileAlreadyExists":     Taken,
	"SlowDown":              Busy,
	"RequestTimeout":        Busy,
}

// kindOf gives the kind of an explained error; "" of anything else.
func kindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return ""
}

// explain turns what the SDK gives back into an *Error, or the caller's own end, or errCredentials.
func (b *Bucket) explain(ctx context.Context, res *cos.Response, err error) error {
	if err == nil {
		return nil
	}
	cause := causeOf(err)
	if answer, ok := errors.AsType[*cos.ErrorResponse](cause); ok {
		return b.answered(answer)
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(cause, errCredentials):
		return cause
	case res != nil && misread(cause):
		return strange(res)
	default:
		return &Error{Kind: Unreachable, Cause: cause}
	}
}

// misread tells an answer that is whole, and no XML that was asked for, from one that was cut.
func misread(err error) bool {
	if _, ok := errors.AsType[*xml.SyntaxError](err); ok {
		return true
	}
	_, ok := errors.AsType[xml.UnmarshalError](err)
	return ok || errors.Is(err, errAnswer)
}

// strange is the error of an answer that has a good status and is none that COS would give.
func strange(res *cos.Response) *Error {
	return &Error{Kind: Refused, Status: res.StatusCode, RequestID: token(res.Header.Get(requestIDHeader)), Cause: errAnswer}
}

// errAnswer says that an answer is none that COS would give.
var errAnswer = errors.New("an answer that COS would not give: the endpoint may not be the bucket's own URL")

// causeOf takes off what the SDK and net/http put around an error: the SDK's list of tries, which hides what it holds,
// and the URL.
func causeOf(err error) error {
	if tries, ok := errors.AsType[*cos.RetryError](err); ok && len(tries.Errs) > 0 {
		err = tries.Errs[len(tries.Errs)-1]
	}
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	return err
}

// A refusal is put down to the clocks when they differ by more than a signature allows for.
func (b *Bucket) answered(answer *cos.ErrorResponse) *Error {
	e := &Error{Kind: Refused, Status: answer.Response.StatusCode, Code: token(answer.Code)}
	if e.RequestID = token(answer.RequestID); e.RequestID == "" {
		e.RequestID = token(answer.Response.Header.Get(requestIDHeader))
	}
	if kind, ok := kinds[e.Code]; ok {
		e.Kind = kind
	} else if passes(e.Status) {
		e.Kind = Busy
	} else if e.Status == http.StatusConflict {
		e.Kind = Taken
	}
	if theirs, ok := dateOf(answer.Response); ok && e.Status == http.StatusForbidden {
		if e.Skew = b.config.Now().Sub(theirs); e.Skew > validBefore || e.Skew < -validAfter {
			e.Kind = BadClock // "Request has expired" comes as AccessDenied
		}
	}
	return e
}

// token lets through what a code or an id looks like, and nothing else.
func token(s string) string {
	if len(s) > 128 || !madeOf(s, lower+upper+digits+"_=./+-") {
		return ""
	}
	return s
}
