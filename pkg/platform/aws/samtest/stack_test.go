package samtest_test

import (
	"maps"
	"testing"

	"github.com/kycvault/kycvault/pkg/platform/aws/samtest"
)

const root = "../../../.."

// tsaRoot is a root certificate as the parameter TsaCa wants it: openssl req -x509 -newkey ed25519 -outform DER … | base64 -w 0
const tsaRoot = "MIIBPjCB8aADAgECAhRIY1hUQ97QV5pu+ndPen7OLzjveDAFBgMrZXAwFDESMBAGA1UEAwwJdGVzdCByb290MCAXDTI2MTEyNjAxMzIzOVoYDzIxMjYx" +
	"MTAyMDEzMjM5WjAUMRIwEAYDVQQDDAl0ZXN0IHJvb3QwKjAFBgMrZXADIQD2HlJXkG9ODSotjysYTzrvgt6Ep8HNAX8amP5LRC+RT6NTMFEwHQYDVR0OBBYEFK/J" +
	"ORjD2sB4lNe+iGJAK/jleyoQMB8GA1UdIwQYMBaAFK/JORjD2sB4lNe+iGJAK/jleyoQMA8GA1UdEwEB/wQFMAMBAf8wBQYDK2VwA0EAtSrBfTjtrtMq+MWoUeUH" +
	"l4+rgprM5Lm7oxqnpCzcgeYUIUl5yvl4WPXKWywebczCCtFx++hcDN2n33FU1nx7BA=="

// least are the parameters without a default.
func least() map[string]string {
	return map[string]string{"AppId": "IDAXXXXX", "SecretName": "kycvault/prod", "Ticket": "own", "BucketName": "kyc-evidence"}
}

// everything switches on whatever can be switched on.
func everything() map[string]string {
	return with(least(), map[string]string{
		"SecretName":  "arn:aws:secretsmanager:us-east-1:111122223333:secret:kycvault/prod-AbCdEf",
		"TicketToken": "yes", "ArchivePrefix": "kyc/prod/", "StorageClass": "STANDARD_IA", "ObjectLock": "compliance", "RetainDays": "36500",
		"KmsKeyArn":     "arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d-0000-1111-2222-333344445555",
		"SecretVersion": "0a1b2c3d-0000-1111-2222-333344445555", "WebhookAuth": "standard-webhooks", "WebhookRedirect": "https://www.example.com/done?from=check",
		"WebhookOrigins": "https://www.example.com,https://app.example.com:8443", "WebhookConcurrency": "50", "StepDelay": "900s", "Steps": "10",
		"RefetchMinutes": "15", "Deadline": "720h", "PullConcurrency": "1000", "AlarmTopicArn": "arn:aws:sns:us-east-1:111122223333:on-call",
		"AtRiskOrders": "100", "LogLevel": "debug", "Media": "video", "Recipients": "age19jzuynxfvjkc9kzguc6hf4qwyh5y0k8ztvrlvedhvqs3mur4py0qwgzxyv,age1zx2jgf80y6vpy7n3ah9d5hd6knfd9635rfwd23kxhg90hngxf50qp8x6wh", "Identity": "keep", "Api": "facerecord",
		"Seal": "yes", "SealEvery": "1h", "SealGrace": "1440m", "TsaUrl": "http://tsa.example.com/stamp", "TsaCa": tsaRoot,
	})
}

// service, lock and key each make one choice other than the defaults'.
func service() map[string]string {
	return with(least(), map[string]string{"Ticket": "https://tickets.example.com/v1/ticket"})
}

func lock() map[string]string { return with(service(), map[string]string{"ObjectLock": "governance"}) }

func key() map[string]string {
	return with(service(), map[string]string{"KmsKeyArn": everything()["KmsKeyArn"]})
}

func with(base, over map[string]string) map[string]string {
	m := maps.Clone(base)
	maps.Copy(m, over)
	return m
}

// secrets are what the secret in Secrets Manager holds.
func secrets() map[string]string {
	return map[string]string{
		"KYC_SECRET": "a-secret-of-the-app-id", "KYC_TICKET_TOKEN": "a-token",
		"KYC_SEAL_KEY":    "PRIVATE+KEY+test.example/vault+85a0ee6e+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
		"KYC_WEBHOOK_KEY": "0123456789abcdef0123456789abcdef",
	}
}

func template(t *testing.T) *samtest.Template {
	t.Helper()
	tmpl, err := samtest.Load(root + "/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return tmpl
}

func stack(t *testing.T, parameters map[string]string) *samtest.Stack {
	t.Helper()
	s, err := template(t).Resolve(samtest.Options{Parameters: parameters, Secrets: secrets()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func policies(t *testing.T, parameters map[string]string) (*samtest.Stack, *samtest.Policies) {
	t.Helper()
	s := stack(t, parameters)
	p, err := s.Policies()
	if err != nil {
		t.Fatal(err)
	}
	return s, p
}

// property is a number of a resource.
func property(t *testing.T, s *samtest.Stack, resource string, path ...string) int {
	t.Helper()
	n, ok := samtest.Number(samtest.At(s.Resources[resource].Properties, path...))
	if !ok {
		t.Fatalf("%s has no number at %q", resource, path)
	}
	return n
}
