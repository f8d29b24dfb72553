// Package aws is the platform for AWS: Lambda, SQS and S3. It knows the environment of a function; an operator's profiles are
// known to package profile below it.
package aws

import "github.com/aws/aws-sdk-go-v2/aws"

// Identity is as whom, and where: what Lambda puts into the environment, or what the operator's profile says.
type Identity struct {
	Region      string // "" is none
	Credentials aws.CredentialsProvider
}
