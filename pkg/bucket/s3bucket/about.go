package s3bucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// About is what a bucket says of itself.
type About struct {
	Region     Fact[string] // "" where the store does not tell
	Versioning Fact[Versioning]
	Lock       Fact[bool]          // Object Lock is enabled
	Retention  Fact[DefaultRetain] // what Object Lock does to objects written without a lock of their own
}

// Fact is a thing that a bucket tells, or why it is not known.
type Fact[T any] struct {
	Value   T
	Unknown error // nil: Value is what the bucket said
}

// Versioning is whether a bucket keeps older versions ("Using versioning in S3 buckets").
type Versioning string

// The states of versioning.
const (
	VersioningOff       Versioning = "off" // and never was on
	VersioningOn        Versioning = "on"
	VersioningSuspended Versioning = "suspended" // older versions are there
)

// DefaultRetain is a bucket's default retention; a zero For is none.
type DefaultRetain struct {
	Mode string // LockCompliance or LockGovernance
	For  time.Duration
}

// About asks the bucket. What the role has no right to ask is unknown, and no error: that needs s3:ListBucket,
// s3:GetBucketVersioning and s3:GetBucketObjectLockConfiguration, which nothing else of kycvault needs, the first aside. It
// is an error if the bucket can not be reached or is not there.
func (b *Bucket) About(ctx context.Context) (About, error) {
	region, err := b.region(ctx)
	if err != nil {
		return About{}, fmt.Errorf("ask bucket %s: %w", b.config.Bucket, err)
	}
	a := About{Region: region, Versioning: b.versioning(ctx)}
	a.Lock, a.Retention = b.locking(ctx)
	return a, nil
}

// region tells the bucket's region; an answer that refuses has it too.
func (b *Bucket) region(ctx context.Context) (Fact[string], error) {
	out, err := b.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &b.config.Bucket})
	a := answerOf(err)
	switch {
	case err == nil:
		return Fact[string]{Value: aws.ToString(out.BucketRegion)}, nil
	case a.status == http.StatusForbidden && a.region != "":
		return Fact[string]{Value: a.region}, nil
	case a.status == http.StatusForbidden:
		return Fact[string]{Unknown: b.noRight("s3:ListBucket", err)}, nil
	}
	return Fact[string]{}, b.explain(ctx, "s3:ListBucket", err)
}

func (b *Bucket) versioning(ctx context.Context) Fact[Versioning] {
	out, err := b.client.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &b.config.Bucket})
	if err != nil {
		return Fact[Versioning]{Unknown: b.unknown(ctx, "s3:GetBucketVersioning", err)}
	}
	switch out.Status {
	case types.BucketVersioningStatusEnabled:
		return Fact[Versioning]{Value: VersioningOn}
	case types.BucketVersioningStatusSuspended:
		return Fact[Versioning]{Value: VersioningSuspended}
	}
	return Fact[Versioning]{Value: VersioningOff}
}

func (b *Bucket) locking(ctx context.Context) (lock Fact[bool], retention Fact[DefaultRetain]) {
	out, err := b.client.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: &b.config.Bucket})
	if answerOf(err).code == codeNoLock {
		return lock, retention
	}
	if err != nil {
		lock.Unknown = b.unknown(ctx, "s3:GetBucketObjectLockConfiguration", err)
		retention.Unknown = lock.Unknown
		return lock, retention
	}
	if c := out.ObjectLockConfiguration; c != nil {
		lock.Value = c.ObjectLockEnabled == types.ObjectLockEnabledEnabled
		retention.Value = defaultOf(c.Rule)
	}
	return lock, retention
}

func defaultOf(rule *types.ObjectLockRule) DefaultRetain {
	if rule == nil || rule.DefaultRetention == nil {
		return DefaultRetain{}
	}
	d := rule.DefaultRetention
	days := aws.ToInt32(d.Days) + 365*aws.ToInt32(d.Years)
	return DefaultRetain{Mode: strings.ToLower(string(d.Mode)), For: time.Duration(days) * 24 * time.Hour}
}

// ErrNoRight says that the role may not ask.
var ErrNoRight = errors.New("unknown: no right to ask")

func (b *Bucket) unknown(ctx context.Context, action string, err error) error {
	if answerOf(err).status == http.StatusForbidden {
		return b.noRight(action, err)
	}
	return fmt.Errorf("unknown: %w", b.explain(ctx, action, err))
}

func (b *Bucket) noRight(action string, err error) error {
	return &fault{fmt.Sprintf("%v (%s)", ErrNoRight, action), errors.Join(ErrNoRight, err)}
}
