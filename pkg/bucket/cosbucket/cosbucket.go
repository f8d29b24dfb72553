// Package cosbucket keeps objects in a bucket of Tencent Cloud COS, through Tencent's own SDK.
//
// What a call must have done when it returns nil (DESIGN section 4):
//   - Create must have written a key that was free. It asks for that with x-cos-forbid-overwrite, and the store arbitrates (COS
//     "PUT Object"). Since the header is void on a bucket that has, or ever had, versioning, nothing is written before
//     the bucket has said that it never had (versioning.go).
//   - Create and Put must have stored the promised bytes: these are read and checked before a byte is sent, their MD5 goes
//     with them, so that COS refuses other ones, and the CRC-64 of its answer must be theirs (write.go).
//   - A half-written object never shows: an object is put in one request with its length (up to 5 GB).
//
// The SDK makes requests and reads answers; it neither retries nor changes to another host here. When to try again is
// decided in retry.go, how long to wait for a network in transport.go.
//
// Listings may be stale (COS "GET Bucket"), and the store's clock is the Date of its answers.
//
// No error of this package holds a URL's query, a token, a secret, or any text of the other side but its error code and
// request id.
package cosbucket

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	cos "github.com/tencentyun/cos-go-sdk-v5"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// Config says which bucket, and as whom.
type Config struct {
	Bucket      string      // name-appid
	Region      string      // such as ap-guangzhou; not needed with an Endpoint
	Endpoint    string      // the bucket's own URL: a custom, internal or accelerated domain; "" is https://BUCKET.cos.REGION.myqcloud.com
	Credentials Credentials // asked for each request

	StorageClass string // of objects with Content.Retain, such as STANDARD_IA; "" is the bucket's default
	Encryption   string // at rest: EncryptionCOS, EncryptionKMS, or "" for the bucket's default
	KMSKey       string // with EncryptionKMS: the key's id; "" is the account's default key

	Client *http.Client     // nil has a transport with this package's time-outs
	Now    func() time.Time // nil is time.Now
}

// The values of Config.Encryption (COS "Server-side encryption headers").
const (
	EncryptionCOS = "AES256"
	EncryptionKMS = "cos/kms"
)

// Bucket implements bucket.Bucket. It is safe for use by many goroutines; any number of processes may use one bucket.
type Bucket struct {
	config Config
	sdk    *cos.Client
	guard  guard
	clock  clock
	pauses []time.Duration // between tries
}

var _ bucket.Bucket = (*Bucket)(nil)

// New checks c. It reaches nothing.
func New(c Config) (*Bucket, error) {
	base, err := c.check()
	if err != nil {
		return nil, fmt.Errorf("open COS bucket %s: %w", c.Bucket, err)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	client := http.Client{Transport: newTransport()}
	if c.Client != nil {
		client = *c.Client // a copy: the SDK changes the one it is given
	}
	b := &Bucket{config: c, guard: newGuard(), clock: clock{now: c.Now}, pauses: ourPauses()}
	client.Transport = &signer{credentials: c.Credentials, now: c.Now, next: client.Transport, clock: &b.clock}
	b.sdk = cos.NewClient(&cos.BaseURL{BucketURL: base}, &client)
	b.sdk.Conf.EnableCRC = false // it fails a put whose answer lacks the CRC; write.go compares
	b.sdk.Conf.RetryOpt = cos.RetryOptions{Count: 1}
	return b, nil
}

// Properties implements bucket.Bucket.
func (b *Bucket) Properties() bucket.Properties {
	return bucket.Properties{Name: "cos", StrongListing: false, OwnClock: true}
}

func (c Config) check() (*url.URL, error) {
	switch {
	case !isBucket(c.Bucket):
		return nil, errors.New("a bucket is name-appid, of lower-case letters, digits and hyphens")
	case c.Credentials == nil:
		return nil, errors.New("no credentials")
	case strings.Contains(c.StorageClass, "ARCHIVE"):
		return nil, fmt.Errorf("storage class %s has to be restored before it can be read: choose another one, and let a lifecycle rule move old orders", c.StorageClass)
	case c.Encryption != "" && c.Encryption != EncryptionCOS && c.Encryption != EncryptionKMS:
		return nil, fmt.Errorf("encryption is none of %s and %s", EncryptionCOS, EncryptionKMS)
	case c.KMSKey != "" && c.Encryption != EncryptionKMS:
		return nil, fmt.Errorf("a KMS key without encryption %s", EncryptionKMS)
	}
	return c.base()
}

// base is the URL of the bucket. The SDK drops a path in it, so there may be none.
func (c Config) base() (*url.URL, error) {
	if c.Endpoint == "" {
		if !isRegion(c.Region) {
			return nil, errors.New("no region, such as ap-guangzhou")
		}
		return &url.URL{Scheme: "https", Host: c.Bucket + ".cos." + c.Region + ".myqcloud.com"}, nil
	}
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, errors.New("the endpoint is not an https or http URL")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
		return nil, errors.New("the endpoint is more than scheme and host")
	}
	if isOwnDomain(u.Hostname()) && !strings.HasPrefix(u.Host, c.Bucket+".") {
		return nil, fmt.Errorf("the endpoint is not the bucket's own URL: its host must begin with the bucket, %s", c.Bucket)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}
