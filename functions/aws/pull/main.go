// Command pull is the Lambda function behind the SQS queue: it makes the steps.
package main

import "github.com/kycvault/kycvault/pkg/platform/aws"

// Set by the linker for a release.
var version = "0.1.0"

func main() { aws.Main(aws.Pull(), version) }
