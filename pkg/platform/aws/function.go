package aws

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/kycvault/kycvault/pkg/delay/sqs"
	"github.com/kycvault/kycvault/pkg/platform"
)

// Function is one of the three functions. Each is a value of its own, so that a binary has the code of its own function only.
type Function struct {
	name    string
	needs   platform.Needs
	handler func(c *core) (lambda.Handler, error)
}

// needs of every function: all hand out messages, and none may be told to be open to everyone.
const needs = platform.NeedUpstream | platform.NeedArchive | platform.NeedQueue | platform.NeedPublic

// Webhook is the function behind a function URL.
func Webhook() Function {
	return Function{"webhook", needs | platform.NeedWebhook, func(c *core) (lambda.Handler, error) {
		h, err := c.system.Webhook(c.Config)
		if err != nil {
			return nil, err
		}
		return &web{handler: h, metrics: c.metrics, now: time.Now, log: c.log}, nil
	}}
}

// Pull is the function behind an SQS event source.
func Pull() Function {
	return Function{"pull", needs, func(c *core) (lambda.Handler, error) {
		return &pull{steps: c.system.Puller, delayer: c.delayer, metrics: c.metrics, now: time.Now, log: c.log}, nil
	}}
}

// Refetch is the function behind an EventBridge schedule.
func Refetch() Function {
	return Function{"refetch", needs, func(c *core) (lambda.Handler, error) {
		if err := c.system.Seals(c.Config); err != nil {
			return nil, err
		}
		return &refetch{passes: c.system.Refetcher, metrics: c.metrics, now: time.Now, log: c.log}, nil
	}}
}

// Options are what New is given beside the environment.
type Options struct {
	Lookup  platform.Lookup
	Version string // of the program, for manifests
	Metrics io.Writer
	Log     *slog.Logger
	Level   *slog.LevelVar // of Log: set to KYC_LOG_LEVEL
}

// New makes a function. The settings are read at once: the error joins one *platform.Mistake for each that is wrong or
// absent. The clients are made meanwhile, once, and keep their connections from event to event. Nothing is reached over the
// network before the first event.
func New(f Function, o Options) (lambda.Handler, error) {
	env, err := load(f.needs, o.Lookup)
	if err != nil {
		return nil, err
	}
	o.Level.Set(env.LogLevel)
	later := &starting{made: make(chan struct{})}
	go func() {
		defer close(later.made)
		c := &core{environment: env, log: o.Log, metrics: newMetrics(o.Metrics, env.Metrics, time.Now)}
		if later.err = c.wire("kycvault " + o.Version); later.err == nil {
			later.handler, later.err = f.handler(c)
		}
		if later.err != nil {
			logMistakes(o.Log, later.err)
			return
		}
		o.Log.LogAttrs(context.Background(), slog.LevelInfo, "function started", slog.String("function", f.name),
			slog.String("version", o.Version), slog.Any("config", env.Config))
	}()
	return later, nil
}

// starting is a function whose parts are being made while Lambda is asked for the first event: a third of a cold start is
// saved so.
type starting struct {
	made    chan struct{}
	handler lambda.Handler
	err     error // settings that load found good can be wired, so this is nil
}

// Invoke implements lambda.Handler.
func (s *starting) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	<-s.made
	if s.err != nil {
		return nil, s.err
	}
	return s.handler.Invoke(ctx, payload)
}

// core is what the functions have in common.
type core struct {
	environment
	system  *platform.System
	delayer *sqs.Delayer
	metrics *metrics
	log     *slog.Logger
}

func (c *core) wire(writer string) (err error) {
	c.delayer, err = sqs.New(sqs.Config{
		QueueURL: c.QueueURL, Region: c.Region, Credentials: c.Credentials, Endpoint: c.SQSEndpoint, Workers: c.Workers,
	})
	if err != nil {
		return err
	}
	b, err := openers().Open(c.Archive, c.place)
	if err != nil {
		return err
	}
	c.system, err = platform.Wire(c.Config, platform.Parts{
		Bucket: b, Delayer: c.delayer, Writer: writer, Now: time.Now, Rand: rand.Reader, Log: c.log,
		Accepted:  func() { c.metrics.add(metricAccepted, 1) },
		Refreshed: func() { c.metrics.add(metricRefreshes, 1) },
	})
	return err
}

// refuse tells of an event of the wrong kind: something else than template.yaml says is wired to the function.
func refuse(log *slog.Logger, expected string) error {
	log.LogAttrs(context.Background(), slog.LevelError, "event refused: another kind was expected", slog.String("expected", expected))
	return messages.InvokeResponse_Error{Type: "Event.WrongKind", Message: "this function expects " + expected}
}

func logMistakes(log *slog.Logger, err error) {
	log.LogAttrs(context.Background(), slog.LevelError, "settings are wrong; no event is taken until they are mended", slog.Any("mistakes", platform.Mistakes(err)))
}
