package platform

import (
	"slices"
	"strings"
)

// Variable describes one variable of the environment. The documents and doctor read it from here.
type Variable struct {
	Name     string
	What     string // meaning and accepted values
	Default  string // as Load takes it; "" is none
	Required string // when it must be set: "always", or a condition; "" is never
	Secret   bool   // shown as set or not set only, and never a flag
}

// Prefix is what the names of kycvault's own variables begin with.
const Prefix = "KYC_"

// Variables lists every variable of kycvault's own, in the order of DESIGN section 6. AWS_ENDPOINT_URL_S3 and
// AWS_ENDPOINT_URL_SQS are honoured too; they are Amazon's and described there.
func Variables() []Variable {
	return []Variable{
		{Name: "KYC_APP_ID", What: "the app id (WBappid): 8 letters and digits", Required: "always"},
		{Name: "KYC_SECRET", What: "the app id's secret", Required: "with KYC_TICKET=own", Secret: true},
		{Name: "KYC_BASE_URL", What: "the upstream's origin", Default: "https://miniprogram-kyc.tencentcloudapi.com"},
		{Name: "KYC_API", What: "the query dialect: sync or facerecord", Default: APISync},
		{Name: "KYC_TICKET", What: "who refreshes the SIGN ticket: own, or the https URL of an existing ticket service", Required: "always"},
		{Name: "KYC_TICKET_TOKEN", What: "bearer token for that service, or, with own, for GET /v1/ticket, which is else not served", Secret: true},
		{Name: "KYC_ARCHIVE", What: "where evidence goes: file:///dir, s3://bucket/prefix?region=&endpoint=&path_style=&lock=&retain=&kms=&storage_class=" +
			" or cos://bucket-appid/prefix?region=&endpoint=&storage_class=&encryption=&kms=", Required: "always"},
		{Name: "KYC_MEDIA", What: "what to archive: photo,video or one of them", Default: "photo,video"},
		{Name: "KYC_RECIPIENTS", What: "public keys of age (age1…), comma-separated, that all evidence is encrypted to; else it is stored as it is"},
		{Name: "KYC_IDENTITY", What: "omit or keep the upstream's name and idNo in the result file; keep needs KYC_RECIPIENTS", Default: "omit"},
		{Name: "KYC_WEBHOOK_AUTH", What: "how completions are proven: jwt, standard-webhooks, or none (loopback only)", Default: "jwt"},
		{Name: "KYC_WEBHOOK_KEY", What: "HS256 key of 32 bytes or more, or whsec_… key; several, comma-separated, for rotation",
			Required: "unless KYC_WEBHOOK_AUTH=none", Secret: true},
		{Name: "KYC_WEBHOOK_REDIRECT", What: "where the H5 redirect sends the browser on"},
		{Name: "KYC_WEBHOOK_ORIGINS", What: "CORS origins, comma-separated"},
		{Name: "KYC_STEP_DELAY", What: "wait between steps: 0 to 15m", Default: "2s"},
		{Name: "KYC_STEPS", What: "steps before the re-fetch takes over: 1 to 10", Default: "3"},
		{Name: "KYC_REFETCH_EVERY", What: "how often the re-fetch runs (in the clouds: what the schedule says): 100ms to 24h", Default: "5m"},
		{Name: "KYC_DEADLINE", What: "age at which an order is given up: more than 0, at most 720h", Default: "72h"},
		{Name: "KYC_SEAL_KEY", What: "private key that seals are signed with, as kycvault seal keygen makes it; behind it, comma-separated, the public keys used before." +
			" Not set: nothing is sealed", Secret: true},
		{Name: "KYC_SEAL_EVERY", What: "the time that one seal covers: 1m to 720h, whole seconds; windows start at multiples of it in UTC", Default: "24h"},
		{Name: "KYC_SEAL_GRACE", What: "how long after its end a window is sealed: 1m to 24h", Default: "30m"},
		{Name: "KYC_TSA_URL", What: "timestamp authority (RFC 3161) that is asked for a trusted timestamp of each seal; not set: none"},
		{Name: "KYC_TSA_CA", What: "its root certificate, and those between: PEM, or a file with it; not set: any authority will do"},
		{Name: "KYC_QUEUE_URL", What: "AWS: the SQS queue's URL", Required: "in AWS"},
		{Name: "KYC_WORKERS", What: "AWS: steps that are made at once, the queue's MaximumConcurrency: 2 to 1000", Default: "10"},
		{Name: "KYC_METRICS", What: "AWS: the CloudWatch namespace of the metrics", Default: "kycvault"},
		{Name: "KYC_PULL_FUNCTION", What: "Tencent: the pull function's name, with namespace and qualifier where needed", Required: "in Tencent Cloud"},
		{Name: "KYC_SCF_ENDPOINT", What: "Tencent: another API origin than the public one"},
		{Name: "KYC_LOG_LEVEL", What: "debug, info, warn or error", Default: "info"},
	}
}

// Unknown lists the KYC_ variables of an environment (as os.Environ gives it) that nothing reads: most likely typing
// mistakes, worth a warning. Names only, sorted.
func Unknown(environ []string) []string {
	var unknown []string
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		known := slices.ContainsFunc(Variables(), func(v Variable) bool { return v.Name == name })
		if strings.HasPrefix(name, Prefix) && !known {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return slices.Compact(unknown)
}

// defaultOf is the default of a variable.
func defaultOf(name string) string {
	for _, v := range Variables() {
		if v.Name == name {
			return v.Default
		}
	}
	return ""
}
