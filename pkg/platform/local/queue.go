package local

import (
	"cmp"
	"context"
	"fmt"

	"github.com/kycvault/kycvault/pkg/delay/sqs"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/platform/aws/profile"
)

// OpenQueue opens the functions' queue for who looks after it, with the operator's profile. It reaches nothing over the network.
func OpenQueue(cfg platform.Config) (*sqs.Delayer, error) {
	who, err := profile.Load(context.Background()) // files only
	if err != nil {
		return nil, fmt.Errorf("open queue: %w", err)
	}
	d, err := sqs.New(sqs.Config{
		QueueURL: cfg.QueueURL, Region: cmp.Or(sqs.RegionOf(cfg.QueueURL), who.Region), Credentials: who.Credentials,
		Endpoint: cfg.SQSEndpoint, Workers: cfg.Workers,
	})
	if err != nil {
		return nil, fmt.Errorf("open queue: %w", err)
	}
	return d, nil
}
