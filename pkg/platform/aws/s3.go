// Package aws is the platform for AWS: Lambda, SQS and S3. It knows the environment of a function; an operator's profiles are
// known to package profile below it.
package aws

import (
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/kycvault/kycvault/pkg/bucket/s3bucket"
	"github.com/kycvault/kycvault/pkg/platform"
)

// Identity is as whom, and where: what Lambda puts into the environment, or what the operator's profile says.
type Identity struct {
	Region      string // "" is none
	Credentials aws.CredentialsProvider
}

// S3Config is what an s3:// archive's options mean to the driver, in a function and in the operator's command alike. The
// archive's own region goes before the identity's. The archive's prefix is for bucket.Prefixed.
func S3Config(a platform.Archive, who Identity) s3bucket.Config {
	c := s3bucket.Config{
		Bucket: a.Bucket, Region: a.Options.Get("region"), Credentials: who.Credentials,
		Endpoint: a.Options.Get("endpoint"), PathStyle: a.Options.Get("path_style") == "true",
		Lock: a.Options.Get("lock"), Retain: days(a.Options.Get("retain")),
		KMSKey: a.Options.Get("kms"), StorageClass: a.Options.Get("storage_class"),
	}
	if c.Region == "" {
		c.Region = who.Region
	}
	return c
}

// days reads a time such as 1825d, whose form platform.ParseArchive has checked: at most 99999d, which a Duration holds.
func days(s string) time.Duration {
	n, _ := strconv.Atoi(strings.TrimSuffix(s, "d"))
	return time.Duration(n) * 24 * time.Hour
}
