// Package platform turns the environment into a wired core. This package itself holds what every platform shares: the
// configuration and the logger; its folders aws, tencent and local are the only places where parts meet (DESIGN section 2).
package platform

import (
	"errors"
	"log/slog"
	"net/url"
	"time"

	"github.com/kycvault/kycvault/pkg/agekey"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/webhook"
)

// Config is the environment of DESIGN section 6, read and checked. A field whose variable is not set has the table's
// default, or is empty where there is none.
type Config struct {
	AppID       string      // 8 letters and digits
	Secret      secret.Text // empty is possible with a TicketURL only
	BaseURL     string      // origin, without a slash at the end
	API         string      // APISync or APIFaceRecord
	OwnTicket   bool        // kycvault is the app id's one refresher
	TicketURL   string      // the ticket service to ask instead
	TicketToken secret.Text // bearer token for TicketURL, or for GET /v1/ticket

	Archive      Archive
	Media        kyc.Media
	Recipients   agekey.Recipients // whom evidence is encrypted to; none: it is stored as it is
	KeepIdentity bool              // keep the upstream's name and idNo in the result file

	WebhookAuth     webhook.Auth
	WebhookKeys     []secret.Text // the first one signs, each may prove
	WebhookRedirect *url.URL      // nil is none
	WebhookOrigins  []string      // scheme://host[:port], lower case

	StepDelay    time.Duration
	Steps        int
	RefetchEvery time.Duration
	Deadline     time.Duration

	SealKey    secret.Text // empty: nothing is sealed
	SealFormer []string    // public keys that were used before
	SealEvery  time.Duration
	SealGrace  time.Duration
	TSAURL     string // "" asks for no timestamps
	TSACA      string // PEM, or a file's path; "" trusts any authority

	QueueURL     string // AWS
	Workers      int    // AWS: pull functions at once
	Metrics      string // AWS: the namespace in CloudWatch
	SQSEndpoint  string // AWS_ENDPOINT_URL_SQS; "" is the public one
	PullFunction string // Tencent
	SCFEndpoint  string // Tencent; "" is the public one

	LogLevel slog.Level
}

// The dialects of KYC_API (PROTOCOL section 1).
const (
	APISync       = "sync"
	APIFaceRecord = "facerecord"
)

// ticketOwn is the KYC_TICKET that makes kycvault the refresher.
const ticketOwn = "own"

// Needs says for which parts the variables must be there. What is set must be right whatever the needs.
type Needs uint

// The parts that need variables.
const (
	NeedUpstream     Needs = 1 << iota // app id, KYC_TICKET, and the secret where the ticket is our own
	NeedArchive                        // KYC_ARCHIVE
	NeedWebhook                        // KYC_WEBHOOK_KEY, unless KYC_WEBHOOK_AUTH is none
	NeedWebhookKey                     // KYC_WEBHOOK_KEY, whatever KYC_WEBHOOK_AUTH
	NeedPublic                         // the webhook can be reached from elsewhere: KYC_WEBHOOK_AUTH must not be none
	NeedQueue                          // KYC_QUEUE_URL
	NeedPullFunction                   // KYC_PULL_FUNCTION
)

// NeedAll is what the webhook function of a cloud needs.
const NeedAll = NeedUpstream | NeedArchive | NeedWebhook | NeedPublic

// Lookup finds a variable, as os.LookupEnv does.
type Lookup func(name string) (value string, ok bool)

// Load reads the configuration once. Blanks around a value are dropped, and an empty value counts as not set. The error
// joins one *Mistake for each thing that is wrong or absent.
func Load(lookup Lookup, needs Needs) (Config, error) {
	r := reader{lookup: lookup, needs: needs}
	var c Config
	r.upstream(&c)
	r.storage(&c)
	r.webhook(&c)
	r.pace(&c)
	r.seal(&c)
	c.QueueURL = r.url("KYC_QUEUE_URL")
	r.require(NeedQueue, "KYC_QUEUE_URL")
	c.Workers = r.number("KYC_WORKERS", minWorkers, maxWorkers)
	c.Metrics = r.namespace("KYC_METRICS")
	c.SQSEndpoint = r.endpoint("AWS_ENDPOINT_URL_SQS")
	c.PullFunction = r.word("KYC_PULL_FUNCTION")
	r.require(NeedPullFunction, "KYC_PULL_FUNCTION")
	c.SCFEndpoint = r.endpoint("KYC_SCF_ENDPOINT")
	c.LogLevel = r.level("KYC_LOG_LEVEL")
	if len(r.mistakes) > 0 {
		return Config{}, errors.Join(r.mistakes...)
	}
	return c, nil
}

// Bounds of an event source's MaximumConcurrency ("Using Lambda with Amazon SQS").
const (
	minWorkers = 2
	maxWorkers = 1000
)

func (r *reader) upstream(c *Config) {
	c.AppID = r.appID("KYC_APP_ID")
	c.BaseURL = r.origin("KYC_BASE_URL")
	c.API = r.oneOf("KYC_API", APISync, APIFaceRecord)
	if v := r.value("KYC_TICKET"); v == ticketOwn {
		c.OwnTicket = true
	} else if v != "" {
		c.TicketURL = r.safeURL("KYC_TICKET", v, "own, or the https URL of a ticket service (http only on this machine)")
	}
	c.Secret = r.secret("KYC_SECRET")
	c.TicketToken = r.secret("KYC_TICKET_TOKEN")

	r.require(NeedUpstream, "KYC_APP_ID")
	r.require(NeedUpstream, "KYC_TICKET")
	if c.OwnTicket {
		r.require(NeedUpstream, "KYC_SECRET")
	}
}

func (r *reader) storage(c *Config) {
	c.Archive = r.archive("KYC_ARCHIVE")
	if c.Archive.Scheme == SchemeS3 {
		if endpoint := r.endpoint("AWS_ENDPOINT_URL_S3"); endpoint != "" && !c.Archive.Options.Has("endpoint") {
			c.Archive.Options.Set("endpoint", endpoint)
		}
	}
	r.require(NeedArchive, "KYC_ARCHIVE")
	c.Media = r.media("KYC_MEDIA")
	c.Recipients = r.recipients("KYC_RECIPIENTS")
	c.KeepIdentity = r.oneOf("KYC_IDENTITY", "omit", "keep") == "keep"
	if c.KeepIdentity && len(c.Recipients) == 0 {
		r.mistake("KYC_IDENTITY", "keep stores names and ID numbers, and nothing is encrypted", "omit; or keep together with KYC_RECIPIENTS")
	}
}

func (r *reader) webhook(c *Config) {
	c.WebhookAuth = webhook.Auth(r.oneOf("KYC_WEBHOOK_AUTH", string(webhook.JWT), string(webhook.StandardWebhooks), string(webhook.NoProof)))
	c.WebhookKeys = r.keys("KYC_WEBHOOK_KEY", c.WebhookAuth)
	c.WebhookRedirect = r.redirect("KYC_WEBHOOK_REDIRECT")
	c.WebhookOrigins = r.origins("KYC_WEBHOOK_ORIGINS")
	if c.WebhookAuth == webhook.NoProof {
		r.require(NeedWebhookKey, "KYC_WEBHOOK_KEY")
	} else {
		r.require(NeedWebhook|NeedWebhookKey, "KYC_WEBHOOK_KEY")
	}
	if c.WebhookAuth == webhook.NoProof && r.needs&NeedPublic != 0 {
		r.mistake("KYC_WEBHOOK_AUTH", "none lets everyone start work", "jwt or standard-webhooks; none only on a loopback address")
	}
}

// Bounds of the pace. A delayed SQS message waits 15 minutes at most, and Lambda stops a chain of 16 invocations (PLATFORMS),
// hence the first two; the others keep an order from being asked for all the time, or for ever: data is kept for 3 days.
const (
	maxStepDelay    = 15 * time.Minute
	maxSteps        = 10
	minRefetchEvery = 100 * time.Millisecond
	maxRefetchEvery = 24 * time.Hour
	maxDeadline     = 30 * 24 * time.Hour
)

func (r *reader) pace(c *Config) {
	c.StepDelay = r.duration("KYC_STEP_DELAY", 0, maxStepDelay)
	c.Steps = r.number("KYC_STEPS", 1, maxSteps)
	c.RefetchEvery = r.duration("KYC_REFETCH_EVERY", minRefetchEvery, maxRefetchEvery)
	c.Deadline = r.duration("KYC_DEADLINE", 1, maxDeadline)
}
