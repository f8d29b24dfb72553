package s3bucket

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// check says all that is wrong with a configuration, without repeating values that may be secret.
func (c Config) check() error {
	err := errors.Join(c.checkPlace(), c.checkKeeping())
	if err != nil {
		return fmt.Errorf("use S3 bucket %s: %w", c.Bucket, err)
	}
	return nil
}

func (c Config) checkPlace() error {
	switch {
	case c.Bucket == "":
		return errors.New("it has no name")
	case strings.HasSuffix(c.Bucket, "--x-s3"):
		return errors.New("a directory bucket lists its objects in no order: take a general purpose bucket")
	case c.Region == "":
		return errors.New("no region is set: give KYC_ARCHIVE the option region=, or set AWS_REGION")
	case c.Credentials == nil:
		return errors.New("there are no credentials")
	case c.Endpoint != "" && !isOrigin(c.Endpoint):
		return errors.New("the endpoint must be an origin: https://host[:port]")
	}
	return nil
}

// isOrigin tells whether s is a scheme and a host, nothing else.
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil &&
		(u.Path == "" || u.Path == "/") && u.RawQuery == "" && u.Fragment == ""
}

// notAtOnce are storage classes out of which an object must be restored before it is read, which takes hours: the archive
// reads its manifests back.
var notAtOnce = []string{"GLACIER", "DEEP_ARCHIVE"}

func (c Config) checkKeeping() error {
	switch {
	case c.Lock != "" && c.Lock != LockCompliance && c.Lock != LockGovernance:
		return fmt.Errorf("a lock is %s or %s", LockCompliance, LockGovernance)
	case c.Lock != "" && c.Retain <= 0, c.Lock == "" && c.Retain != 0:
		return errors.New("a lock and the time it holds go together")
	case slices.Contains(notAtOnce, c.StorageClass):
		return fmt.Errorf("an object in storage class %s can not be read at once, which the archive must: take GLACIER_IR or STANDARD_IA", c.StorageClass)
	}
	return nil
}
