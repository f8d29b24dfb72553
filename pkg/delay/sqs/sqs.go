// Package sqs delivers step messages through an Amazon SQS queue: the delayer of the functions on AWS. A message waits in the
// queue, with DelaySeconds, and nothing runs meanwhile. It may come twice; one that is lost loses nothing, for the marker is
// in the archive.
package sqs

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/kycvault/kycvault/pkg/kyc"
)

const (
	stepTime = 2 * time.Second // what a step takes, by and large: two queries and some writes
	// defaultWorkers is KYC_WORKERS' default, as PullConcurrency's in template.yaml.
	defaultWorkers = 10
)

// Config says which queue, and as whom.
type Config struct {
	QueueURL    string
	Region      string
	Credentials aws.CredentialsProvider
	Endpoint    string           // an origin; "" is that of QueueURL
	Workers     int              // steps that run at once: the event source's MaximumConcurrency; 0 is 10
	Now         func() time.Time // nil is time.Now
	Client      *http.Client     // nil is one with the time-outs of this package
}

// Delayer implements kyc.Delayer. It is safe for use by many goroutines, and keeps its connections.
type Delayer struct {
	queue   string
	workers int
	now     func() time.Time
	client  *client

	mu   sync.Mutex
	free time.Time // when the workers will have done the single tries handed out so far
}

var _ kyc.Delayer = (*Delayer)(nil)

// New checks the configuration. It reaches nothing over the network.
func New(c Config) (*Delayer, error) {
	origin, err := c.check()
	if err != nil {
		return nil, fmt.Errorf("make SQS delayer: %w", err)
	}
	if c.Endpoint == "" {
		c.Endpoint = origin
	}
	if c.Workers == 0 {
		c.Workers = defaultWorkers
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Client == nil {
		c.Client = newHTTP()
	}
	return &Delayer{queue: c.QueueURL, workers: c.Workers, now: c.Now, client: &client{
		endpoint: strings.TrimSuffix(c.Endpoint, "/"), region: c.Region, credentials: c.Credentials, now: c.Now, http: c.Client, signer: v4.NewSigner(),
	}}, nil
}

// CheckQueue refuses what is not the URL of a standard queue.
func CheckQueue(queueURL string) error {
	_, err := originOf(queueURL)
	return err
}

// originOf gives the origin of a queue's URL.
func originOf(queueURL string) (string, error) {
	u, err := url.Parse(queueURL)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || path.Base(u.Path) == "/":
		return "", errors.New("the queue's URL is not one such as https://sqs.eu-west-1.amazonaws.com/123456789012/name")
	case strings.HasSuffix(u.Path, ".fifo"):
		// A FIFO queue takes no DelaySeconds for a single message ("SendMessage"), and holds back an order's next message.
		return "", fmt.Errorf("%s is a FIFO queue, which can not delay single messages; make a standard queue", path.Base(u.Path))
	}
	return u.Scheme + "://" + u.Host, nil
}

// check gives the origin of the queue's URL.
func (c Config) check() (origin string, err error) {
	origin, err = originOf(c.QueueURL)
	switch {
	case err != nil:
		return "", err
	case c.Region == "":
		return "", errors.New("there is no region to sign requests for")
	case c.Credentials == nil:
		return "", errors.New("there are no credentials")
	case c.Workers < 0:
		return "", fmt.Errorf("%d workers", c.Workers)
	}
	return origin, nil
}
