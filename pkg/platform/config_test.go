package platform

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/agekey"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/webhook"
)

// A seal key that everyone knows, and the public key of it.
const (
	sealKey    = "PRIVATE+KEY+test.example/vault+85a0ee6e+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
	sealFormer = "test.example/vault+85a0ee6e+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
)

const hs256Key = "0123456789abcdef0123456789abcdef"

// env is an environment as a map; with gives a copy in which some variables have other values.
type env map[string]string

func (e env) lookup(name string) (string, bool) { v, ok := e[name]; return v, ok }

func (e env) with(pairs ...string) env {
	changed := env{}
	for name, value := range e {
		changed[name] = value
	}
	for i := 0; i < len(pairs); i += 2 {
		changed[pairs[i]] = pairs[i+1]
	}
	return changed
}

// least is the smallest environment with which everything can run.
func least() env {
	return env{
		"KYC_APP_ID":      "TIDA0001",
		"KYC_SECRET":      "app-secret",
		"KYC_TICKET":      "own",
		"KYC_ARCHIVE":     "file:///var/lib/kycvault",
		"KYC_WEBHOOK_KEY": hs256Key,
	}
}

// sameSecret lets cmp look into what prints as redacted.
var sameSecret = cmp.Comparer(func(a, b secret.Text) bool { return a.Reveal() == b.Reveal() })

func TestLoadDefaults(t *testing.T) {
	got, err := Load(least().lookup, NeedAll)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		AppID: "TIDA0001", Secret: secret.New("app-secret"), OwnTicket: true,
		BaseURL: "https://miniprogram-kyc.tencentcloudapi.com", API: APISync,
		Archive: Archive{Scheme: SchemeFile, Path: "/var/lib/kycvault", Options: url.Values{}}, Media: kyc.Photo | kyc.Video,
		WebhookAuth: webhook.JWT, WebhookKeys: []secret.Text{secret.New(hs256Key)},
		StepDelay: 2 * time.Second, Steps: 3, RefetchEvery: 5 * time.Minute, Deadline: 72 * time.Hour,
		SealEvery: 24 * time.Hour, SealGrace: 30 * time.Minute, Workers: 10, Metrics: "kycvault", LogLevel: slog.LevelInfo,
	}
	if diff := cmp.Diff(want, got, sameSecret, sameRecipients); diff != "" {
		t.Errorf("Load (-want +got):\n%s", diff)
	}
}

// Two public keys, whose secret ones nobody has kept.
const (
	recipient  = "age19jzuynxfvjkc9kzguc6hf4qwyh5y0k8ztvrlvedhvqs3mur4py0qwgzxyv"
	recipient2 = "age1zx2jgf80y6vpy7n3ah9d5hd6knfd9635rfwd23kxhg90hngxf50qp8x6wh"
)

func recipients(t *testing.T) agekey.Recipients {
	t.Helper()
	r, err := agekey.ParseRecipients(recipient + "," + recipient2)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sameRecipients compares public keys as they are written.
var sameRecipients = cmp.Transformer("recipients", agekey.Recipients.String)

// TestRecipientsAreCounted: the log tells how many there are, and not which.
func TestRecipientsAreCounted(t *testing.T) {
	for list, want := range map[string]string{"": "none: evidence is not encrypted", recipient: "1 recipient", recipient + "," + recipient2: "2 recipients"} {
		c, err := Load(least().with("KYC_RECIPIENTS", list).lookup, NeedAll)
		if err != nil {
			t.Fatal(err)
		}
		if shown := c.LogValue().String(); !strings.Contains(shown, "KYC_RECIPIENTS="+want+" ") || strings.Contains(shown, recipient) {
			t.Errorf("%d recipients: %s", len(c.Recipients), shown)
		}
	}
}

// TestSecretKeyAmongRecipients: the error says what to do, and does not repeat it.
func TestSecretKeyAmongRecipients(t *testing.T) {
	const secretKey = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ"
	_, err := Load(least().with("KYC_RECIPIENTS", secretKey).lookup, NeedAll)
	if err == nil || !strings.Contains(err.Error(), "key 1 is a secret key: take it out at once") || strings.Contains(err.Error(), secretKey) {
		t.Errorf("%v", err)
	}
}

func TestLoadEverythingSet(t *testing.T) {
	const second = "whsec_" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
	got, err := Load(env{
		"KYC_APP_ID": " TIDA0001\n", "KYC_BASE_URL": "http://127.0.0.1:8081/", "KYC_API": "facerecord",
		"KYC_TICKET": "https://tickets.example/sign?app=1", "KYC_TICKET_TOKEN": "bearer",
		"KYC_ARCHIVE": "cos://vault-1250000000/kyc?region=ap-guangzhou", "KYC_MEDIA": "video", "KYC_RECIPIENTS": recipient + " , " + recipient2, "KYC_IDENTITY": "keep",
		"KYC_WEBHOOK_AUTH": "standard-webhooks", "KYC_WEBHOOK_KEY": second + ", " + second,
		"KYC_WEBHOOK_REDIRECT": "https://www.example.com/done?from=kyc", "KYC_WEBHOOK_ORIGINS": "https://A.example/, http://localhost:3000",
		"KYC_SEAL_KEY": sealKey + ", " + sealFormer, "KYC_SEAL_EVERY": "1m", "KYC_SEAL_GRACE": "24h",
		"KYC_TSA_URL": "http://tsa.example/stamp", "KYC_TSA_CA": "/etc/kycvault/tsa.pem",
		"KYC_STEP_DELAY": "0", "KYC_STEPS": "10", "KYC_REFETCH_EVERY": "1s", "KYC_DEADLINE": "720h",
		"KYC_QUEUE_URL": "https://sqs.example/1/q", "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:9324",
		"KYC_WORKERS": "1000", "KYC_METRICS": "kycvault/test.eu-west-1",
		"KYC_PULL_FUNCTION": "kyc/pull:1", "KYC_SCF_ENDPOINT": "https://scf.example", "KYC_LOG_LEVEL": "debug",
	}.lookup, NeedAll)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		AppID: "TIDA0001", BaseURL: "http://127.0.0.1:8081", API: APIFaceRecord,
		TicketURL: "https://tickets.example/sign?app=1", TicketToken: secret.New("bearer"),
		Archive: Archive{Scheme: SchemeCOS, Bucket: "vault-1250000000", Prefix: "kyc", Options: url.Values{"region": {"ap-guangzhou"}}},
		Media:   kyc.Video, Recipients: recipients(t), KeepIdentity: true,
		WebhookAuth: webhook.StandardWebhooks, WebhookKeys: []secret.Text{secret.New(second), secret.New(second)},
		WebhookRedirect: &url.URL{Scheme: "https", Host: "www.example.com", Path: "/done", RawQuery: "from=kyc"},
		WebhookOrigins:  []string{"https://a.example", "http://localhost:3000"},
		StepDelay:       0, Steps: 10, RefetchEvery: time.Second, Deadline: 720 * time.Hour,
		SealKey: secret.New(sealKey), SealFormer: []string{sealFormer}, SealEvery: time.Minute, SealGrace: 24 * time.Hour,
		TSAURL: "http://tsa.example/stamp", TSACA: "/etc/kycvault/tsa.pem",
		QueueURL: "https://sqs.example/1/q", SQSEndpoint: "http://127.0.0.1:9324", PullFunction: "kyc/pull:1", SCFEndpoint: "https://scf.example",
		Workers: 1000, Metrics: "kycvault/test.eu-west-1", LogLevel: slog.LevelDebug,
	}
	if diff := cmp.Diff(want, got, sameSecret, sameRecipients); diff != "" {
		t.Errorf("Load (-want +got):\n%s", diff)
	}
}

func TestLoadRefuses(t *testing.T) {
	tests := []struct{ variable, value, problem string }{
		{"KYC_APP_ID", "TIDA00012", "not an app id"},
		{"KYC_APP_ID", "TIDA-001", "not an app id"},
		{"KYC_SECRET", "with a blank", "blank"},
		{"KYC_BASE_URL", "http://kyc.example", "plain http"},
		{"KYC_BASE_URL", "http://127.0.0.1.kyc.example", "plain http"},
		{"KYC_BASE_URL", "http://192.0.2.1", "plain http"},
		{"KYC_BASE_URL", "https://kyc.example/api", "more than scheme and host"},
		{"KYC_BASE_URL", "https://kyc.example?x=1", "more than scheme and host"},
		{"KYC_BASE_URL", "https://user:pass@kyc.example", "user or a password"},
		{"KYC_BASE_URL", "ftp://kyc.example", "http"},
		{"KYC_BASE_URL", "kyc.example", "not an absolute"},
		{"KYC_API", "soap", "not one of its values"},
		{"KYC_TICKET", "theirs", "not an absolute"},
		{"KYC_TICKET", "http://tickets.example", "plain http"},
		{"KYC_TICKET_TOKEN", "two words", "blank"},
		{"KYC_WORKERS", "1", "out of range"},
		{"KYC_WORKERS", "1001", "out of range"},
		{"KYC_WORKERS", "ten", "not a whole number"},
		{"KYC_METRICS", "AWS/Lambda", "not a namespace"},
		{"KYC_METRICS", "two words", "not a namespace"},
		{"KYC_METRICS", strings.Repeat("a", 256), "not a namespace"},
		{"KYC_ARCHIVE", "ftp://x", "none of file, s3 and cos"},
		{"KYC_MEDIA", "photo,audio", "names something else"},
		{"KYC_MEDIA", ",", "names something else"},
		{"KYC_RECIPIENTS", "age1", "key 1 is mistyped"},
		{"KYC_RECIPIENTS", recipient + ",", "key 2 is empty"},
		{"KYC_RECIPIENTS", recipient + ",ssh-ed25519," + recipient, "key 2 is an SSH key, which is not supported, key 3 is key 1 again"},
		{"KYC_IDENTITY", "hash", "not one of its values"},
		{"KYC_IDENTITY", "keep", "nothing is encrypted"},
		{"KYC_WEBHOOK_AUTH", "basic", "not one of its values"},
		{"KYC_WEBHOOK_AUTH", "none", "lets everyone start work"},
		{"KYC_WEBHOOK_AUTH", "standard-webhooks", "must begin with whsec_"},
		{"KYC_WEBHOOK_KEY", "short", "HS256 needs 32 or more"},
		{"KYC_WEBHOOK_KEY", hs256Key + ",", "key 2 of 2"},
		{"KYC_WEBHOOK_REDIRECT", "/done", "not an absolute"},
		{"KYC_WEBHOOK_REDIRECT", "https://www.example.com/?code=1", "must not have them"},
		{"KYC_WEBHOOK_ORIGINS", "https://a.example/path", "not an origin"},
		{"KYC_WEBHOOK_ORIGINS", "https://a.example,*", "not an origin"},
		{"KYC_WEBHOOK_ORIGINS", "https://a.example:443", "own port"},
		{"KYC_STEP_DELAY", "2", "not a duration"},
		{"KYC_STEP_DELAY", "-1s", "out of range"},
		{"KYC_STEP_DELAY", "15m1s", "out of range"},
		{"KYC_STEPS", "three", "not a whole number"},
		{"KYC_STEPS", "0", "out of range"},
		{"KYC_STEPS", "11", "out of range"},
		{"KYC_REFETCH_EVERY", "99ms", "out of range"},
		{"KYC_REFETCH_EVERY", "25h", "out of range"},
		{"KYC_DEADLINE", "0", "out of range"},
		{"KYC_DEADLINE", "721h", "out of range"},
		{"KYC_SEAL_KEY", "PRIVATE+KEY+a+b+c", "not a private key"},
		{"KYC_SEAL_KEY", sealFormer, "not a private key"},
		{"KYC_SEAL_KEY", sealKey + "," + sealKey, "not a public key"},
		{"KYC_SEAL_EVERY", "59s", "out of range"},
		{"KYC_SEAL_EVERY", "721h", "out of range"},
		{"KYC_SEAL_EVERY", "90500ms", "not whole seconds"},
		{"KYC_SEAL_GRACE", "59s", "out of range"},
		{"KYC_SEAL_GRACE", "25h", "out of range"},
		{"KYC_TSA_URL", "tsa.example", "not an absolute"},
		{"KYC_TSA_CA", "-----BEGIN CERTIFICATE-----", "no PEM root certificate"},
		{"KYC_QUEUE_URL", "my-queue", "not an absolute"},
		{"KYC_PULL_FUNCTION", "pull function", "blank"},
		{"KYC_SCF_ENDPOINT", "https://scf.example/x", "more than scheme and host"},
		{"AWS_ENDPOINT_URL_SQS", "127.0.0.1:9324", "not"},
		{"KYC_LOG_LEVEL", "verbose", "not one of its values"},
	}
	for _, test := range tests {
		t.Run(test.variable+"="+test.value, func(t *testing.T) {
			_, err := Load(least().with(test.variable, test.value).lookup, NeedAll)
			var m *Mistake
			if !errors.As(err, &m) {
				t.Fatalf("Load = %v, want a Mistake", err)
			}
			named := m.Variable == test.variable || test.variable == "KYC_WEBHOOK_AUTH" && m.Variable == "KYC_WEBHOOK_KEY"
			if !named || !strings.Contains(m.Problem, test.problem) || m.Expected == "" {
				t.Errorf("Load = %q, want %s: …%s…", err, test.variable, test.problem)
			}
		})
	}
}

func TestLoadListsAllMistakes(t *testing.T) {
	_, err := Load(env{"KYC_API": "soap", "KYC_STEPS": "0", "KYC_LOG_LEVEL": "x", "KYC_TICKET": "own"}.lookup, NeedAll)
	var named []string
	for line := range strings.Lines(err.Error()) {
		name, _, _ := strings.Cut(line, ":")
		named = append(named, name)
	}
	want := []string{"KYC_API", "KYC_APP_ID", "KYC_SECRET", "KYC_ARCHIVE", "KYC_WEBHOOK_KEY", "KYC_STEPS", "KYC_LOG_LEVEL"}
	if diff := cmp.Diff(want, named); diff != "" {
		t.Errorf("variables named (-want +got):\n%s\n%v", diff, err)
	}
}

func TestLoadNeeds(t *testing.T) {
	tests := []struct {
		name    string
		needs   Needs
		environ env
		missing []string
	}{
		{"nothing", 0, env{}, nil},
		{"upstream", NeedUpstream, env{}, []string{"KYC_APP_ID", "KYC_TICKET"}},
		{"own ticket", NeedUpstream, env{"KYC_TICKET": "own", "KYC_APP_ID": "TIDA0001"}, []string{"KYC_SECRET"}},
		{"their ticket", NeedUpstream, env{"KYC_TICKET": "https://t.example", "KYC_APP_ID": "TIDA0001"}, nil},
		{"archive", NeedArchive, env{}, []string{"KYC_ARCHIVE"}},
		{"empty is not set", NeedArchive, env{"KYC_ARCHIVE": " "}, []string{"KYC_ARCHIVE"}},
		{"webhook", NeedWebhook, env{}, []string{"KYC_WEBHOOK_KEY"}},
		{"open webhook", NeedWebhook, env{"KYC_WEBHOOK_AUTH": "none"}, nil},
		{"queue", NeedQueue, env{}, []string{"KYC_QUEUE_URL"}},
		{"pull function", NeedPullFunction, env{}, []string{"KYC_PULL_FUNCTION"}},
		{"key", NeedWebhookKey, env{}, []string{"KYC_WEBHOOK_KEY"}},
		{"key for an open webhook", NeedWebhookKey, env{"KYC_WEBHOOK_AUTH": "none"}, []string{"KYC_WEBHOOK_KEY"}},
		{"public", NeedPublic, env{"KYC_WEBHOOK_AUTH": "none"}, []string{"KYC_WEBHOOK_AUTH"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Load(test.environ.lookup, test.needs)
			var missing []string
			if joined, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // the join itself is wanted
				for _, e := range joined.Unwrap() {
					missing = append(missing, e.(*Mistake).Variable) //nolint:errorlint // and its members
				}
			}
			if diff := cmp.Diff(test.missing, missing); diff != "" {
				t.Errorf("missing (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPlainHTTPOnThisMachine(t *testing.T) {
	for _, origin := range []string{"http://localhost:8081", "http://127.8.9.1:8081", "http://[::1]:8081"} {
		c, err := Load(least().with("KYC_BASE_URL", origin).lookup, NeedAll)
		if err != nil || c.BaseURL != origin {
			t.Errorf("Load with %s = %q, %v", origin, c.BaseURL, err)
		}
	}
}

func TestAmazonEndpoint(t *testing.T) {
	const there = "http://127.0.0.1:7070"
	tests := []struct{ archive, want string }{
		{"s3://vault-bucket", there},
		{"s3://vault-bucket?endpoint=https%3A%2F%2Fs3.example", "https://s3.example"},
		{"cos://vault-1250000000", ""},
	}
	for _, test := range tests {
		c, err := Load(least().with("KYC_ARCHIVE", test.archive, "AWS_ENDPOINT_URL_S3", there).lookup, NeedAll)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Archive.Options.Get("endpoint"); got != test.want {
			t.Errorf("endpoint of %s = %q, want %q", test.archive, got, test.want)
		}
	}
}

// TestSecretsStayInside plants secrets, right and wrong ones, also in variables where they do not belong, and looks for
// them in everything that could be printed.
func TestSecretsStayInside(t *testing.T) {
	const planted = "planted-5ecret"
	good := least().with("KYC_SECRET", planted+"1", "KYC_TICKET_TOKEN", planted+"2", "KYC_WEBHOOK_KEY", planted+"3-and-then-enough-bytes-for-HS256",
		"KYC_TICKET", "https://t.example/?key="+planted, "KYC_WEBHOOK_REDIRECT", "https://w.example/?key="+planted)
	c, err := Load(good.lookup, NeedAll)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	for _, terminal := range []bool{true, false} {
		NewLogger(&said, slog.LevelDebug, terminal).Info("started", "config", c)
	}
	if !strings.Contains(said.String(), "config.KYC_SECRET=set") {
		t.Errorf("the log does not tell that KYC_SECRET is set:\n%s", &said)
	}
	_, _ = fmt.Fprintf(&said, "%v\n", []secret.Text{c.Secret})

	for _, v := range Variables() {
		for _, value := range []string{planted, planted + " " + planted, "https://" + planted + ":x@h/%zz?" + planted, "file://h/" + planted, "s3://b?" + planted + "=1"} {
			if _, err := Load(least().with(v.Name, value).lookup, NeedAll); err != nil {
				_, _ = fmt.Fprintln(&said, err)
			}
		}
	}
	for line := range strings.Lines(said.String()) {
		if strings.Contains(strings.ReplaceAll(line, `option "`+planted+`"`, ""), planted) {
			t.Errorf("a secret got out: %s", line)
		}
	}
}
