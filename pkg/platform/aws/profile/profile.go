// Package profile finds out as whom and where the operator's command works on AWS: environment, profiles, SSO, and the rest
// of the default chain ("Configure the AWS SDK for Go v2"). It is the only package that links the SDK's config loader,
// which doubles a function's cold start: a function has its credentials in its environment.
package profile

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/kycvault/kycvault/pkg/platform/aws"
)

// Load reads environment and files. Credentials are fetched, over the network where need be, when they are first used.
func Load(ctx context.Context) (aws.Identity, error) {
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return aws.Identity{}, fmt.Errorf("read AWS profile (AWS_PROFILE, ~/.aws/config): %w", err)
	}
	return aws.Identity{Region: c.Region, Credentials: c.Credentials}, nil
}
