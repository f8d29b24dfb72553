package s3bucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/kycvault/kycvault/pkg/bucket"
)

const (
	codePrecondition = "PreconditionFailed"
	codeConflict     = "ConditionalRequestConflict"
	codeNoKey        = "NoSuchKey"
	codeNoBucket     = "NoSuchBucket"
	codeNoLock       = "ObjectLockConfigurationNotFoundError"

	statusForbidden = http.StatusForbidden
	statusNotFound  = http.StatusNotFound
)

// signer marks the errors of a credentials provider, so that they are not taken for the network's.
type signer struct{ aws.CredentialsProvider }

func (s signer) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := s.CredentialsProvider.Retrieve(ctx)
	if err != nil {
		return c, &credentialsError{err}
	}
	return c, nil
}

type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return "get credentials: " + e.err.Error() }
func (e *credentialsError) Unwrap() error { return e.err }

// answer is what an error answer says, without any text of the other side: that may repeat what we sent.
type answer struct {
	status  int
	code    string // S3's error code; "" is none
	action  string // the action that a 403 names, as kms:Decrypt
	deny    bool   // a policy forbids it, other than that none allows it
	request string // the id to give to the store's support
	region  string // of the bucket, where another one was asked
}

var (
	codeForm    = regexp.MustCompile(`^[A-Za-z0-9.]{1,64}$`)
	requestForm = regexp.MustCompile(`^[A-Za-z0-9+/=_-]{1,128}$`)
	regionForm  = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
	actionForm  = regexp.MustCompile(`\b(?:s3|kms):[A-Z][A-Za-z]{1,60}\b`)
)

// answerOf reads an error of the SDK; the zero answer is none.
func answerOf(err error) answer {
	var a answer
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		a.code = only(codeForm, api.ErrorCode())
		a.action = actionForm.FindString(api.ErrorMessage())
		a.deny = strings.Contains(api.ErrorMessage(), "explicit deny")
	}
	if res, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && res.Response != nil {
		a.status = res.HTTPStatusCode()
		a.region = only(regionForm, res.Response.Header.Get("X-Amz-Bucket-Region"))
	}
	if res, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		a.request = only(requestForm, res.RequestID)
	}
	return a
}

func only(form *regexp.Regexp, s string) string {
	if form.MatchString(s) {
		return s
	}
	return ""
}

// fault is an error whose text is ours; what it comes from can be asked of it.
type fault struct {
	text  string
	cause error
}

func (f *fault) Error() string { return f.text }
func (f *fault) Unwrap() error { return f.cause }

// explain makes an error of the SDK one that says what happened and what to do. The action is the one that the call needs.
func (b *Bucket) explain(ctx context.Context, action string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if broken, ok := errors.AsType[*bodyError](err); ok {
		return broken
	}
	if none, ok := errors.AsType[*credentialsError](err); ok {
		return &fault{none.Error() + " (" + b.hintCredentials() + ")", err}
	}
	a := answerOf(err)
	switch {
	case a.code == codeNoKey: // and no other 404: an address where there is no S3 gives that for everything
		return bucket.ErrNotFound
	case a.status == 0:
		return &fault{b.unreached(err), err}
	case a.code == "BadDigest", a.code == "XAmzContentSHA256Mismatch", a.code == "XAmzContentChecksumMismatch", a.code == "InvalidDigest":
		return fmt.Errorf("the bytes that arrived have another digest (%s): %w", a.text(), bucket.ErrMismatch)
	}
	return &fault{a.text() + ": " + b.hint(action, a), err}
}

// text is the answer for people.
func (a answer) text() string {
	s := fmt.Sprintf("the store answered %d", a.status)
	if a.code != "" {
		s += " " + a.code
	}
	if a.request != "" {
		s += ", request " + a.request
	}
	return s
}

// unreached is an exchange without an answer. A URL would bring its query along.
func (b *Bucket) unreached(err error) string {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	} else if send, ok := errors.AsType[*smithyhttp.RequestSendError](err); ok {
		err = send.Err
	}
	return fmt.Sprintf("no answer from the store: %v (look at region and endpoint in KYC_ARCHIVE, the network, name servers, HTTPS_PROXY)", err)
}
