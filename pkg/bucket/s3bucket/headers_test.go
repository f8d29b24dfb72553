package s3bucket

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// TestHeaders: what is configured is sent, and only with the objects that it is for.
func TestHeaders(t *testing.T) {
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	always := map[string]string{
		"Content-Length": "0", "Content-Type": "application/octet-stream", "X-Amz-Content-Sha256": empty,
		"X-Amz-Checksum-Sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
	}
	once := map[string]string{"If-None-Match": "*"}
	kms := map[string]string{"X-Amz-Server-Side-Encryption": "aws:kms", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "alias/kyc",
		"X-Amz-Server-Side-Encryption-Bucket-Key-Enabled": "true"}
	class := map[string]string{"X-Amz-Storage-Class": "STANDARD_IA"}
	lock := map[string]string{"X-Amz-Object-Lock-Mode": "COMPLIANCE", "X-Amz-Object-Lock-Retain-Until-Date": "2000-01-11T00:00:00Z"}
	full := func(c *Config) {
		c.KMSKey, c.StorageClass, c.Lock, c.Retain = "alias/kyc", "STANDARD_IA", LockCompliance, 10*24*time.Hour
	}
	for name, test := range map[string]struct {
		change func(*Config)
		call   func(*Bucket, *testing.T) error
		want   []map[string]string
	}{
		"plain put":       {nil, putting(false), []map[string]string{always}},
		"plain create":    {nil, creating(true), []map[string]string{always, once}},
		"marker":          {full, putting(false), []map[string]string{always, kms}},
		"evidence":        {full, creating(true), []map[string]string{always, once, kms, class, lock}},
		"only a lock":     {func(c *Config) { c.Lock, c.Retain = LockCompliance, 240*time.Hour }, creating(true), []map[string]string{always, once, lock}},
		"only encryption": {func(c *Config) { c.KMSKey = "alias/kyc" }, creating(true), []map[string]string{always, once, kms}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{steps: []http.HandlerFunc{takes}}
			inBubble(t, s.ServeHTTP, func(t *testing.T, c Config) {
				if test.change != nil {
					test.change(&c)
				}
				if err := test.call(open(t, c), t); err != nil {
					t.Fatal(err)
				}
			})
			want := map[string]string{}
			for _, headers := range test.want {
				maps.Copy(want, headers)
			}
			if diff := cmp.Diff(want, told(s.seen[0])); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func content(retain bool) bucket.Content {
	c := bucket.Bytes(nil, "")
	c.Retain = retain
	return c
}

func putting(retain bool) func(*Bucket, *testing.T) error {
	return func(b *Bucket, t *testing.T) error { return b.Put(t.Context(), "k", content(retain)) }
}

func creating(retain bool) func(*Bucket, *testing.T) error {
	return func(b *Bucket, t *testing.T) error { return b.Create(t.Context(), "k", content(retain)) }
}

// told are the headers that say how an object is kept.
func told(r *http.Request) map[string]string {
	headers := map[string]string{}
	for name, values := range r.Header {
		switch {
		case name == "X-Amz-Date", name == "X-Amz-Security-Token":
		case strings.HasPrefix(name, "X-Amz-"), strings.HasPrefix(name, "Content-"), name == "If-None-Match":
			headers[name] = strings.Join(values, ",")
		}
	}
	return headers
}

// TestNew: a configuration that can not work is refused, with what to do, before anything is sent.
func TestNew(t *testing.T) {
	good := Config{Bucket: "vault", Region: "eu-central-1", Credentials: signer{}}
	for name, test := range map[string]struct {
		change func(*Config)
		want   string // "" is no error
	}{
		"good":                {func(*Config) {}, ""},
		"endpoint, no region": {func(c *Config) { c.Region, c.Endpoint = "", "https://s3.example.com" }, ""},
		"locked":              {func(c *Config) { c.Lock, c.Retain = LockGovernance, time.Hour }, ""},
		"no name":             {func(c *Config) { c.Bucket = "" }, "no name"},
		"no region":           {func(c *Config) { c.Region = "" }, "AWS_REGION"},
		"nobody":              {func(c *Config) { c.Credentials = nil }, "credentials"},
		"directory bucket":    {func(c *Config) { c.Bucket = "vault--euc1-az1--x-s3" }, "general purpose"},
		"endpoint":            {func(c *Config) { c.Endpoint = "https://user:password@host/path" }, "must be an origin"},
		"lock":                {func(c *Config) { c.Lock, c.Retain = "legal", time.Hour }, "compliance or governance"},
		"lock without time":   {func(c *Config) { c.Lock = LockCompliance }, "go together"},
		"time without lock":   {func(c *Config) { c.Retain = time.Hour }, "go together"},
		"glacier":             {func(c *Config) { c.StorageClass = "DEEP_ARCHIVE" }, "can not be read at once"},
	} {
		c := good
		test.change(&c)
		_, err := New(c)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: error %v, want …%s…", name, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "password") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
