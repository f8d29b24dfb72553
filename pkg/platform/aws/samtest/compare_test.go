package samtest_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/platform/aws/samtest"
)

// TestCompare: a forbidden call and a right that no call used are both told.
func TestCompare(t *testing.T) {
	s, p := policies(t, service())
	calls := []samtest.Call{
		s.List("pending/"), s.List("retry/"), s.Object("s3:GetObject", "system/backoff"), s.Look(),
		s.Object("s3:GetObject", photo),
	}
	send, err := s.SQSCall("AmazonSQS.SendMessage")
	if err != nil {
		t.Fatal(err)
	}
	forbidden, unseen := p.Compare("RefetchFunction", append(calls, send))
	if diff := cmp.Diff([]samtest.Call{s.Object("s3:GetObject", photo)}, forbidden); diff != "" {
		t.Errorf("forbidden (-want +got):\n%s", diff)
	}
	want := []samtest.Right{
		{Functions: "refetch", Action: "s3:ListBucket", Where: "prefix quiet/"},
		{Functions: "refetch", Action: "sqs:GetQueueAttributes", Where: "queue"},
	}
	if diff := cmp.Diff(want, unseen); diff != "" {
		t.Errorf("unseen (-want +got):\n%s", diff)
	}
}

// TestRecordedRequests reads requests as a test server gets them.
func TestRecordedRequests(t *testing.T) {
	s := stack(t, everything())
	locked := http.Header{"If-None-Match": {"*"}, "X-Amz-Object-Lock-Mode": {"COMPLIANCE"}}
	for _, test := range []struct {
		method, url string
		header      http.Header
		want        []samtest.Call
	}{
		{"PUT", "/kyc-evidence/kyc/prod/" + photo + "?x-id=PutObject", locked, []samtest.Call{s.Put(photo, true), s.Object("s3:PutObjectRetention", photo)}},
		{"PUT", "/kyc-evidence/kyc/prod/retry/a.b", nil, []samtest.Call{s.Put("retry/a.b", false)}},
		{"GET", "/kyc-evidence/kyc/prod/" + photo + "?x-id=GetObject", nil, []samtest.Call{s.Object("s3:GetObject", photo)}},
		{"HEAD", "/kyc-evidence/kyc/prod/" + photo, nil, []samtest.Call{s.Object("s3:GetObject", photo)}},
		{"DELETE", "/kyc-evidence/kyc/prod/retry/a.b", nil, []samtest.Call{s.Object("s3:DeleteObject", "retry/a.b")}},
		{"GET", "/kyc-evidence/?list-type=2&prefix=kyc%2Fprod%2Fpending%2F", nil, []samtest.Call{s.List("pending/")}},
		{"HEAD", "/kyc-evidence", nil, []samtest.Call{s.Look()}},
		{"PUT", "/kyc-evidence?versioning", nil, nil},
		{"PUT", "/kyc-evidence/a?retention", nil, nil},
		{"POST", "/kyc-evidence/a", nil, nil},
	} {
		u, err := url.Parse(test.url)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.S3Calls(test.method, u, test.header)
		if (err != nil) != (test.want == nil) {
			t.Errorf("%s %s: %v", test.method, test.url, err)
		}
		if diff := cmp.Diff(test.want, got, emptyIsNil()); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", test.method, test.url, diff)
		}
	}
	if c, err := s.SQSCall("AmazonSQS.DeleteMessageBatch"); err != nil || c.Action != "sqs:DeleteMessage" {
		t.Errorf("batch: %v, %v", c, err)
	}
	if _, err := s.SQSCall("DynamoDB.PutItem"); err == nil {
		t.Error("another service's call is taken for SQS's")
	}
}

// emptyIsNil compares mappings by what is in them.
func emptyIsNil() cmp.Option {
	return cmp.FilterValues(func(a, b map[string]string) bool { return len(a) == 0 && len(b) == 0 }, cmp.Ignore())
}
