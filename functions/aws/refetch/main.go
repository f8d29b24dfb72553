// Command refetch is the Lambda function behind the schedule: it looks after every order that waits.
package main

import "github.com/kycvault/kycvault/pkg/platform/aws"

// Set by the linker for a release.
var version = "0.1.0"

func main() { aws.Main(aws.Refetch(), version) }
