// Package s3archive says what an s3:// archive means to the S3 driver, for whoever opens one: Lambda's functions, the operator's
// command, and a function of another cloud. It knows no function and no event, so that nobody links those for it.
package s3archive

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/kycvault/kycvault/pkg/bucket/s3bucket"
	"github.com/kycvault/kycvault/pkg/platform"
)

// Config is what an s3:// archive's options mean to the driver. The archive's own region goes before the one that is given.
// The archive's prefix is for bucket.Prefixed.
func Config(a platform.Archive, region string, who aws.CredentialsProvider) s3bucket.Config {
	c := s3bucket.Config{
		Bucket: a.Bucket, Region: a.Options.Get("region"), Credentials: who,
		Endpoint: a.Options.Get("endpoint"), PathStyle: a.Options.Get("path_style") == "true",
		Lock: a.Options.Get("lock"), Retain: days(a.Options.Get("retain")),
		KMSKey: a.Options.Get("kms"), StorageClass: a.Options.Get("storage_class"),
	}
	if c.Region == "" {
		c.Region = region
	}
	return c
}

// days reads a time such as 1825d, whose form platform.ParseArchive has checked: at most 99999d, which a Duration holds.
func days(s string) time.Duration {
	n, _ := strconv.Atoi(strings.TrimSuffix(s, "d"))
	return time.Duration(n) * 24 * time.Hour
}

// ErrNoCredentials says that the environment holds none.
var ErrNoCredentials = errors.New("no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN for temporary ones")

// Open opens an s3:// archive's bucket, without the archive's prefix, as whom the environment's variables say, and nothing else:
// they are read once. It reaches nothing, and fails at once where there is no credential or no region.
func Open(a platform.Archive, lookup platform.Lookup) (*s3bucket.Bucket, error) {
	value := func(name string) string { v, _ := lookup(name); return strings.TrimSpace(v) }
	id, key := value("AWS_ACCESS_KEY_ID"), value("AWS_SECRET_ACCESS_KEY")
	switch {
	case id == "" && key == "":
		return nil, fmt.Errorf("open archive: %w", ErrNoCredentials)
	case id == "" || key == "":
		return nil, errors.New("open archive: of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY only one is set")
	}
	who := credentials.NewStaticCredentialsProvider(id, key, value("AWS_SESSION_TOKEN"))
	b, err := s3bucket.New(Config(a, value("AWS_REGION"), who))
	if err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	return b, nil
}
