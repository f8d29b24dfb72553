package s3bucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// TestExplain: each answer is told apart, with what to do about it.
func TestExplain(t *testing.T) {
	const assumed = "User: arn:aws:sts::123456789012:assumed-role/pull/x is not authorized to perform: "
	elsewhere := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amz-Bucket-Region", "eu-west-1")
		refusal(w, 301, "PermanentRedirect", "")
	}
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		call   string
		want   string
	}{
		"wrong region":       {elsewhere, "put", "301 PermanentRedirect, request REQUEST1: the bucket is in region eu-west-1: set region=eu-west-1 in KYC_ARCHIVE"},
		"elsewhere":          {says(301, "", ""), "get", "mend region= or endpoint="},
		"no bucket":          {says(404, codeNoBucket, ""), "list", "there is no bucket of this name: make it"},
		"no S3 at all":       {says(404, "", ""), "list", "there is no such bucket at this address"},
		"no such key":        {says(404, codeNoKey, ""), "get", "get object k: object not found"},
		"put forbidden":      {says(403, "AccessDenied", "Access Denied"), "put", "the role lacks s3:PutObject here, or a bucket policy or the KMS key refuses it"},
		"delete forbidden":   {says(403, "AccessDenied", "Access Denied"), "delete", "lacks s3:DeleteObject"},
		"list forbidden":     {says(403, "AccessDenied", "Access Denied"), "list", "lacks s3:ListBucket"},
		"get forbidden":      {says(403, "AccessDenied", "Access Denied"), "get", "without s3:ListBucket also an object that is not there is answered so"},
		"policy":             {says(403, "AccessDenied", assumed+"s3:PutObject on resource: x with an explicit deny in a resource-based policy"), "put", "a policy denies s3:PutObject here"},
		"no right to lock":   {says(403, "AccessDenied", assumed+"s3:PutObjectRetention on resource: x because no identity-based policy allows it"), "put", "the role lacks s3:PutObjectRetention here"},
		"KMS forbidden":      {says(403, "AccessDenied", assumed+"kms:GenerateDataKey on resource: x"), "put", "the KMS key can not be used: it must be enabled, in the bucket's region, and let this role do kms:GenerateDataKey"},
		"KMS disabled":       {says(400, "KMS.DisabledException", ""), "put", "kms:GenerateDataKey to write and kms:Decrypt to read"},
		"wrong secret":       {says(403, "SignatureDoesNotMatch", ""), "put", "the secret does not belong to the access key"},
		"wrong key":          {says(403, "InvalidAccessKeyId", ""), "put", "does not know the access key"},
		"ended credentials":  {says(400, "ExpiredToken", ""), "put", "aws sso login"},
		"clock":              {says(403, "RequestTimeTooSkewed", ""), "put", "this machine's clock is off"},
		"no lock there":      {says(400, "InvalidRequest", ""), "put", "needs a bucket that has it enabled"},
		"digest":             {says(400, "BadDigest", ""), "put", bucket.ErrMismatch.Error()},
		"archived":           {says(403, "InvalidObjectState", ""), "get", "restore it first"},
		"storage class":      {says(400, "InvalidStorageClass", ""), "put", "mend storage_class="},
		"conflict for ever":  {says(409, codeConflict, ""), "create", "another write of this key goes on and on"},
		"busy":               {says(503, "SlowDown", ""), "put", "it asks for fewer requests, or is out of service, also after several tries"},
		"broken":             {says(500, "InternalError", ""), "put", "trouble of its own"},
		"some other refusal": {says(400, "Novel", ""), "put", "400 Novel, request REQUEST1: it does not take what was asked"},
		"no answer":          {resets, "put", "no answer from the store: EOF (look at region and endpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, test.answer, func(t *testing.T, c Config) {
				c.Lock, c.Retain = LockCompliance, time.Hour
				err := calls(open(t, c))[test.call](t.Context())
				if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "x-id") || strings.Contains(err.Error(), "http://") {
					t.Errorf("error %v\nwant …%s…", err, test.want)
				}
			})
		})
	}
}

// calls are the driver's calls on the key k.
func calls(b *Bucket) map[string]func(context.Context) error {
	content := bucket.Bytes([]byte("bytes"), "")
	return map[string]func(context.Context) error{
		"create": func(ctx context.Context) error { return b.Create(ctx, "k", content) },
		"put":    func(ctx context.Context) error { return b.Put(ctx, "k", content) },
		"delete": func(ctx context.Context) error { return b.Delete(ctx, "k") },
		"get": func(ctx context.Context) error {
			r, _, err := b.Get(ctx, "k")
			if err == nil {
				_ = r.Close()
			}
			return err
		},
		"list": func(ctx context.Context) error {
			for _, err := range b.List(ctx, "k", "") {
				return err
			}
			return nil
		},
		"about": func(ctx context.Context) error {
			a, err := b.About(ctx)
			return errors.Join(err, a.Region.Unknown, a.Versioning.Unknown, a.Lock.Unknown)
		},
	}
}

// TestErrorsHoldNoSecret: also a store that repeats all that it was sent gets nothing of it into an error.
func TestErrorsHoldNoSecret(t *testing.T) {
	for _, status := range []int{301, 400, 403, 404, 409, 412, 500} {
		echo := func(w http.ResponseWriter, r *http.Request) {
			sent := r.Header.Get("Authorization") + " " + r.Header.Get("X-Amz-Security-Token") + " " + r.URL.RawQuery
			w.Header().Set("X-Amz-Request-Id", sent)
			w.Header().Set("X-Amz-Id-2", sent)
			w.Header().Set("X-Amz-Bucket-Region", sent)
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s s3:GetObject</Message><RequestId>%s</RequestId></Error>", sent, sent, sent)
		}
		inBubble(t, echo, func(t *testing.T, c Config) {
			for name, call := range calls(open(t, c)) {
				err := call(t.Context())
				if err == nil {
					t.Errorf("%d to %s: no error", status, name)
					continue
				}
				for _, secret := range []string{cannedSecret, cannedSession, cannedKey, "Signature", "x-id"} {
					if strings.Contains(err.Error(), secret) {
						t.Errorf("%d to %s: the error holds %q: %v", status, name, secret, err)
					}
				}
			}
		})
	}
}

// TestNoCredentials: it is told apart from a network that is down, and not tried again.
func TestNoCredentials(t *testing.T) {
	s := &script{steps: []http.HandlerFunc{takes}}
	inBubble(t, s.ServeHTTP, func(t *testing.T, c Config) {
		asked := 0
		c.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			asked++
			return aws.Credentials{}, errors.New("the SSO session has expired")
		})
		err := open(t, c).Put(t.Context(), "k", bucket.Bytes(nil, ""))
		if err == nil || !strings.Contains(err.Error(), "put object k: get credentials: the SSO session has expired (sign in anew") {
			t.Errorf("error %v", err)
		}
		if asked != 1 || s.count() != 0 {
			t.Errorf("asked for credentials %d times, the store %d times", asked, s.count())
		}
	})
}

// TestAboutForbidden: what may not be asked is unknown, and says which right is lacking.
func TestAboutForbidden(t *testing.T) {
	inBubble(t, says(403, "AccessDenied", ""), func(t *testing.T, c Config) {
		a, err := open(t, c).About(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for want, got := range map[string]error{"s3:ListBucket": a.Region.Unknown, "s3:GetBucketVersioning": a.Versioning.Unknown,
			"s3:GetBucketObjectLockConfiguration": a.Lock.Unknown} {
			if !errors.Is(got, ErrNoRight) || got.Error() != "unknown: no right to ask ("+want+")" {
				t.Errorf("%s: %v", want, got)
			}
		}
	})
	inBubble(t, says(404, "", ""), func(t *testing.T, c Config) {
		if _, err := open(t, c).About(t.Context()); err == nil || !strings.Contains(err.Error(), "there is no such bucket at this address") {
			t.Errorf("error %v", err)
		}
	})
}
