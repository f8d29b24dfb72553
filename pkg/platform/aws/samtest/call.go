package samtest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Call is a request to a cloud as IAM judges it.
type Call struct {
	Action   string            // "s3:PutObject"
	Resource string            // ARN
	Keys     map[string]string // condition keys that the request has
}

// The condition keys that the template's policies ask for.
const (
	prefixKey      = "s3:prefix"
	ifNoneMatchKey = "s3:if-none-match"
	transportKey   = "aws:SecureTransport"
	viaKey         = "kms:ViaService"
)

// key gives a condition key of the request. In the cloud all of ours go over TLS, and S3 is who asks KMS.
func (c Call) key(name string) (string, bool) {
	if v, ok := c.Keys[name]; ok {
		return v, true
	}
	switch {
	case name == transportKey:
		return "true", true
	case name == viaKey && strings.HasPrefix(c.Action, "kms:"):
		return "s3." + Region + ".amazonaws.com", true
	}
	return "", false
}

func (c Call) String() string {
	s := c.Action + " " + c.Resource
	if prefix, ok := c.Keys[prefixKey]; ok {
		s += " prefix " + prefix
	}
	return s
}

// Object is a call about an object: a key below the archive's prefix.
func (s *Stack) Object(action, key string) Call {
	return Call{Action: action, Resource: s.bucketARN() + "/" + s.Prefix() + key}
}

// Put is a PutObject of such a key; once is with If-None-Match.
func (s *Stack) Put(key string, once bool) Call {
	c := s.Object("s3:PutObject", key)
	if once {
		c.Keys = map[string]string{ifNoneMatchKey: "*"}
	}
	return c
}

// List is a listing of the keys that begin with prefix, below the archive's.
func (s *Stack) List(prefix string) Call {
	return Call{Action: "s3:ListBucket", Resource: s.bucketARN(), Keys: map[string]string{prefixKey: s.Prefix() + prefix}}
}

// Look is what S3 asks for when it answers 404 instead of 403, and HeadBucket: a ListBucket without a prefix.
func (s *Stack) Look() Call { return Call{Action: "s3:ListBucket", Resource: s.bucketARN()} }

// S3Calls reads a request to S3, its bucket in the path, as a test server gets it. A put that locks is two calls.
func (s *Stack) S3Calls(method string, u *url.URL, h http.Header) ([]Call, error) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	c := Call{Resource: "arn:" + Partition + ":s3:::" + bucket, Keys: map[string]string{}}
	query := u.Query()
	if key == "" {
		c.Action = "s3:ListBucket"
		if query.Has("prefix") {
			c.Keys[prefixKey] = query.Get("prefix")
		}
		if method == http.MethodHead || method == http.MethodGet && query.Get("list-type") == "2" {
			return []Call{c}, nil
		}
		return nil, fmt.Errorf("%s of a bucket is not understood here", method)
	}
	c.Resource += "/" + key
	for name := range query {
		if name != "x-id" { // the SDK tells the operation's name with it
			return nil, fmt.Errorf("%s of an object with %s is not understood here", method, name)
		}
	}
	return objectCalls(method, c, h)
}

func objectCalls(method string, c Call, h http.Header) ([]Call, error) {
	switch method {
	case http.MethodGet, http.MethodHead:
		c.Action = "s3:GetObject"
	case http.MethodDelete:
		c.Action = "s3:DeleteObject"
	case http.MethodPut:
		c.Action = "s3:PutObject"
		if v := h.Get("If-None-Match"); v != "" {
			c.Keys[ifNoneMatchKey] = v
		}
		if h.Get("X-Amz-Object-Lock-Mode") != "" {
			return []Call{c, {Action: "s3:PutObjectRetention", Resource: c.Resource}}, nil
		}
	default:
		return nil, fmt.Errorf("%s of an object is not understood here", method)
	}
	return []Call{c}, nil
}

// SQSCall reads a request to SQS by its X-Amz-Target ("AmazonSQS.SendMessage"), as one to the stack's queue.
func (s *Stack) SQSCall(target string) (Call, error) {
	operation, ok := strings.CutPrefix(target, "AmazonSQS.")
	if !ok {
		return Call{}, fmt.Errorf("%q is no call of SQS", target)
	}
	// A batch needs the right of the single call ("Amazon SQS API permissions").
	return Call{Action: "sqs:" + strings.TrimSuffix(operation, "Batch"), Resource: s.arns["Queue"]}, nil
}
