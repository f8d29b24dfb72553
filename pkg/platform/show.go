package platform

import (
	"log/slog"
	"strconv"
	"strings"

	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/secret"
)

// LogValue implements slog.LogValuer: the configuration as one group, for the one line at the start.
func (c Config) LogValue() slog.Value { return slog.GroupValue(c.Attrs()...) }

// Attrs are all settings under their variables' names, in the order of Variables. Secrets show as "set" or "not set",
// URLs without their query.
func (c Config) Attrs() []slog.Attr {
	return []slog.Attr{
		slog.String("KYC_APP_ID", c.AppID),
		slog.String("KYC_SECRET", shown(c.Secret)),
		slog.String("KYC_BASE_URL", c.BaseURL),
		slog.String("KYC_API", c.API),
		slog.String("KYC_TICKET", c.TicketOwner()),
		slog.String("KYC_TICKET_TOKEN", shown(c.TicketToken)),
		slog.String("KYC_ARCHIVE", c.Archive.String()),
		slog.String("KYC_MEDIA", mediaList(c.Media)),
		slog.String("KYC_RECIPIENTS", c.recipients()),
		slog.String("KYC_IDENTITY", c.identity()),
		slog.String("KYC_WEBHOOK_AUTH", string(c.WebhookAuth)),
		slog.String("KYC_WEBHOOK_KEY", shown(c.WebhookKeys...)),
		slog.String("KYC_WEBHOOK_REDIRECT", withoutQuery(c.redirect())),
		slog.String("KYC_WEBHOOK_ORIGINS", strings.Join(c.WebhookOrigins, ",")),
		slog.String("KYC_STEP_DELAY", c.StepDelay.String()),
		slog.String("KYC_STEPS", strconv.Itoa(c.Steps)),
		slog.String("KYC_REFETCH_EVERY", c.RefetchEvery.String()),
		slog.String("KYC_DEADLINE", c.Deadline.String()),
		slog.String("KYC_SEAL_KEY", shown(c.SealKey)),
		slog.String("KYC_SEAL_EVERY", c.SealEvery.String()),
		slog.String("KYC_SEAL_GRACE", c.SealGrace.String()),
		slog.String("KYC_TSA_URL", withoutQuery(c.TSAURL)),
		slog.String("KYC_TSA_CA", c.authority()),
		slog.String("KYC_QUEUE_URL", withoutQuery(c.QueueURL)),
		slog.String("KYC_WORKERS", strconv.Itoa(c.Workers)),
		slog.String("KYC_METRICS", c.Metrics),
		slog.String("KYC_PULL_FUNCTION", c.PullFunction),
		slog.String("KYC_SCF_ENDPOINT", c.SCFEndpoint),
		slog.String("KYC_LOG_LEVEL", strings.ToLower(c.LogLevel.String())),
	}
}

// shown tells whether there is a secret, and of several how many.
func shown(secrets ...secret.Text) string {
	n := 0
	for _, s := range secrets {
		if !s.Empty() {
			n++
		}
	}
	switch n {
	case 0:
		return "not set"
	case 1:
		return "set"
	}
	return strconv.Itoa(n) + " set"
}

// TicketOwner tells who refreshes the ticket, as it may be shown: own, or the ticket service's URL without its query.
func (c Config) TicketOwner() string {
	if c.OwnTicket {
		return ticketOwn
	}
	return withoutQuery(c.TicketURL)
}

func (c Config) redirect() string {
	if c.WebhookRedirect == nil {
		return ""
	}
	return c.WebhookRedirect.String()
}

// recipients tells how many there are: which, a log line need not say.
func (c Config) recipients() string {
	switch n := len(c.Recipients); n {
	case 0:
		return "none: evidence is not encrypted"
	case 1:
		return "1 recipient"
	default:
		return strconv.Itoa(n) + " recipients"
	}
}

func (c Config) identity() string {
	if c.KeepIdentity {
		return "keep"
	}
	return "omit"
}

func mediaList(m kyc.Media) string {
	var names []string
	if m&kyc.Photo != 0 {
		names = append(names, "photo")
	}
	if m&kyc.Video != 0 {
		names = append(names, "video")
	}
	return strings.Join(names, ",")
}
