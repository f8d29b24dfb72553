package main

import (
	"strings"

	"github.com/alecthomas/kong"
)

// The structs below are flags by subject; a subcommand embeds those it uses. A field's tag "sets" names the variable that
// the flag goes before. The values are read by platform.Load only, together with the environment, so the fields
// themselves are not used. Secrets have no flag: other users of the machine could read it.

// logFlags are for subcommands that log.
type logFlags struct {
	LogLevel string `sets:"KYC_LOG_LEVEL" placeholder:"LEVEL" help:"debug, info, warn or error."`
}

// archiveFlags are for subcommands that use the archive.
type archiveFlags struct {
	Archive string `sets:"KYC_ARCHIVE" placeholder:"URL" help:"Where evidence goes: file:///dir, s3://bucket/prefix or cos://bucket-appid/prefix."`
}

// upstreamFlags are for subcommands that ask the service.
type upstreamFlags struct {
	AppID      string `sets:"KYC_APP_ID" name:"app-id" placeholder:"ID" help:"The app id: 8 letters and digits."`
	BaseURL    string `sets:"KYC_BASE_URL" name:"base-url" placeholder:"URL" help:"The service's origin."`
	API        string `sets:"KYC_API" name:"api" placeholder:"DIALECT" help:"The query dialect: sync or facerecord."`
	Ticket     string `sets:"KYC_TICKET" placeholder:"OWNER" help:"Who refreshes the ticket: own, or a ticket service's URL."`
	Media      string `sets:"KYC_MEDIA" placeholder:"LIST" help:"What to archive: photo,video or one of them."`
	Recipients string `sets:"KYC_RECIPIENTS" placeholder:"KEYS" help:"Public keys (age1…) that evidence is encrypted to."`
	Identity   string `sets:"KYC_IDENTITY" placeholder:"RULE" help:"omit or keep name and ID number in the result file."`
}

// webhookFlags are for subcommands that serve the webhook.
type webhookFlags struct {
	WebhookAuth     string `sets:"KYC_WEBHOOK_AUTH" placeholder:"WAY" help:"jwt, standard-webhooks, or none (loopback only)."`
	WebhookRedirect string `sets:"KYC_WEBHOOK_REDIRECT" placeholder:"URL" help:"Where the H5 redirect sends the browser on."`
	WebhookOrigins  string `sets:"KYC_WEBHOOK_ORIGINS" placeholder:"LIST" help:"CORS origins, comma-separated."`
}

// paceFlags are for subcommands that take steps.
type paceFlags struct {
	StepDelay    string `sets:"KYC_STEP_DELAY" placeholder:"TIME" help:"Wait between steps: 0 to 15m."`
	Steps        string `sets:"KYC_STEPS" placeholder:"N" help:"Steps before the re-fetch takes over: 1 to 10."`
	RefetchEvery string `sets:"KYC_REFETCH_EVERY" placeholder:"TIME" help:"How often the re-fetch runs: 100ms to 24h."`
	Deadline     string `sets:"KYC_DEADLINE" placeholder:"TIME" help:"Age at which an order is given up: at most 720h."`
}

// sealingFlags are for subcommands that seal. The key has no flag, as no secret has.
type sealingFlags struct {
	SealEvery string `sets:"KYC_SEAL_EVERY" placeholder:"TIME" help:"The time that one seal covers: 1m to 720h."`
	SealGrace string `sets:"KYC_SEAL_GRACE" placeholder:"TIME" help:"How long after its end a window is sealed: 1m to 24h."`
	TSAURL    string `sets:"KYC_TSA_URL" name:"tsa-url" placeholder:"URL" help:"Timestamp authority that is asked for a timestamp of each seal."`
	TSACA     string `sets:"KYC_TSA_CA" name:"tsa-ca" placeholder:"FILE" help:"PEM certificates that timestamps must lead to."`
}

// setsTag is the struct tag that ties a flag to a variable.
const setsTag = "sets"

// flagsByVariable are the values of the flags that were given, by the variable each one goes before.
func flagsByVariable(parsed *kong.Context) map[string]string {
	values := map[string]string{}
	for _, flag := range parsed.Flags() {
		if name := flag.Tag.Get(setsTag); name != "" && flag.Set {
			values[name] = flag.Target.String()
		}
	}
	return values
}

// helpWithVariable is a flag's help with its variable at the end.
func helpWithVariable(value *kong.Value) string {
	help := kong.DefaultHelpValueFormatter(value)
	if name := value.Tag.Get(setsTag); name != "" {
		return strings.TrimSuffix(help, ".") + " ($" + name + ")."
	}
	return help
}
