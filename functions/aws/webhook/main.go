// Command webhook is the Lambda function behind the function URL: it takes completions, and tells how orders stand.
package main

import "github.com/kycvault/kycvault/pkg/platform/aws"

// Set by the linker for a release.
var version = "0.1.0"

func main() { aws.Main(aws.Webhook(), version) }
