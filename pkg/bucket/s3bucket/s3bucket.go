// Package s3bucket keeps objects in an S3 bucket: Amazon's, or that of a server which speaks the same.
//
// What each call does, and what keeps the promises of bucket.Bucket (PLATFORMS, AWS; DESIGN section 4):
//   - Create is one PutObject with If-None-Match: *. A 412 says that the key is taken, but on a versioned bucket of some
//     servers a delete marker gives one too: so a HEAD looks before ErrExists is told. A 409 says that another write of
//     the key is under way: the same again, a few times.
//   - Create and Put send length and SHA-256 ahead of the bytes, and the store checks both. Nothing is hashed here a second
//     time and nothing is buffered: the body goes from its reader to the socket. An object is one request (5 GB at most).
//   - Content.Retain brings Object Lock and storage class with it, where they are configured; every object is encrypted
//     with the KMS key, where there is one.
//   - A listing is paged by its last key, so that a page that fails is asked for again on its own.
//   - Now is the store's clock, from the Date of its answers.
//
// Nothing here asks the environment for anything but a proxy: region and credentials are given, and New reaches nothing
// over the network.
package s3bucket

import (
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// Config says which bucket, as whom, and how objects are kept.
type Config struct {
	Bucket, Region string // "" as region is us-east-1 where Endpoint is set, as servers of that kind take it
	Credentials    aws.CredentialsProvider
	Endpoint       string           // an origin; "" is Amazon's for the region
	PathStyle      bool             // the bucket stands in the path, not in the host's name
	Lock           string           // LockCompliance, LockGovernance or "": Object Lock on Content.Retain objects
	Retain         time.Duration    // how long Lock holds, from when an object is written
	KMSKey         string           // id, ARN or alias for SSE-KMS; "" is the bucket's own encryption
	StorageClass   string           // of Content.Retain objects; "" is the bucket's default
	Client         *http.Client     // nil is one with the time-outs of this package
	Now            func() time.Time // this machine's clock; nil is time.Now
}

// The modes of Object Lock ("S3 Object Lock", retention modes).
const (
	LockCompliance = "compliance" // nobody can shorten it or delete the version
	LockGovernance = "governance" // who has s3:BypassGovernanceRetention can
)

// Bucket implements bucket.Bucket. It is safe for use by many goroutines.
type Bucket struct {
	config Config
	client *s3.Client
	clock  *clock
}

var _ bucket.Bucket = (*Bucket)(nil)

// New checks the configuration. It reaches nothing over the network: a bucket that is not there shows at the first call.
func New(c Config) (*Bucket, error) {
	if c.Endpoint != "" && c.Region == "" {
		c.Region = "us-east-1"
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Client == nil {
		c.Client = newClient()
	}
	b := &Bucket{config: c, clock: &clock{local: c.Now}}
	b.client = s3.New(s3.Options{
		Region:       c.Region,
		Credentials:  signer{c.Credentials},
		UsePathStyle: c.PathStyle,
		HTTPClient:   &door{client: c.Client, clock: b.clock},
		Retryer:      newRetryer(),
		// Create and Put give their checksum, and what is read is checked against the manifest by who reads it.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	}, func(o *s3.Options) {
		if c.Endpoint != "" {
			o.BaseEndpoint = &c.Endpoint
		}
	})
	return b, nil
}

// Properties implements bucket.Bucket. S3 shows every finished write in the next listing ("Amazon S3 data consistency model").
func (*Bucket) Properties() bucket.Properties {
	return bucket.Properties{Name: "s3", StrongListing: true, OwnClock: true}
}
