package samtest_test

import (
	"os"
	"strings"
	"testing"

	"github.com/kycvault/kycvault/pkg/platform/aws/samtest"
)

// TestUnknownIsRefused changes the template to what is not understood here: each must be an error, or a right would go unseen.
func TestUnknownIsRefused(t *testing.T) {
	text, err := os.ReadFile(root + "/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for why, change := range map[string][2]string{
		"an alias":                 {"KYC_DEADLINE: !Ref Deadline", "KYC_DEADLINE: &deadline !Ref Deadline\n        KYC_X: *deadline"},
		"a key twice":              {"KYC_STEPS: !Ref Steps", "KYC_STEPS: !Ref Steps\n        KYC_STEPS: 1"},
		"another function":         {"KYC_DEADLINE: !Ref Deadline", "KYC_DEADLINE: !ImportValue deadline"},
		"an unknown name":          {"KYC_DEADLINE: !Ref Deadline", "KYC_DEADLINE: !Ref Dedline"},
		"another condition":        {"!And [!Condition HasTicketToken", "!Or [!Condition HasTicketToken"},
		"a condition of none":      {"!And [!Condition HasTicketToken", "!And [!Condition HasTiketToken"},
		"an unknown condition":     {"[OwnsTicket, !Sub", "[OwnTicket, !Sub"},
		"another reference":        {"secretsmanager:${SecretName}:SecretString:KYC_WEBHOOK_KEY", "ssm-secure:${SecretName}:SecretString:KYC_WEBHOOK_KEY"},
		"a condition of a policy":  {`{"Null": {"s3:prefix": "true"}}`, `{"ArnLike": {"s3:prefix": "true"}}`},
		"a managed policy":         {"      Policies:\n        - PolicyName: pull", "      ManagedPolicyArns: [arn:aws:iam::aws:policy/AdministratorAccess]\n      Policies:\n        - PolicyName: pull"},
		"a policy of the function": {"      Timeout: 600", "      Policies: [AmazonS3FullAccess]\n      Timeout: 600"},
		"a role from elsewhere":    {"Role: !GetAtt PullRole.Arn", "Role: arn:aws:iam::111122223333:role/admin"},
		"NotAction":                {"Action: s3:DeleteObject\n", "NotAction: s3:DeleteObject\n"},
		"a role that denies":       {"- Sid: Clear\n                Effect: Allow", "- Sid: Clear\n                Effect: Deny"},
		"a bucket that allows":     {"- Sid: CreateOnce\n            Effect: Deny", "- Sid: CreateOnce\n            Effect: Allow"},
		"a bucket for somebody":    {"- Sid: CreateOnce\n            Effect: Deny\n            Principal: \"*\"", "- Sid: CreateOnce\n            Effect: Deny\n            Principal: {AWS: \"111122223333\"}"},
		"a parameter in no group":  {"[AlarmTopicArn, AtRiskOrders, LogLevel, LogRetentionDays]", "[AlarmTopicArn, AtRiskOrders, LogLevel]"},
	} {
		changed := strings.Replace(string(text), change[0], change[1], 1)
		if changed == string(text) {
			t.Errorf("%s: %q is not there to be changed", why, change[0])
		}
		if err := readAll([]byte(changed)); err == nil {
			t.Errorf("%s is taken as if nothing were wrong", why)
		}
	}
	if err := readAll(text); err != nil {
		t.Errorf("unchanged: %v", err)
	}
}

// readAll asks for everything that can be asked of a template.
func readAll(text []byte) error {
	tmpl, err := samtest.Parse(text)
	if err != nil {
		return err
	}
	if _, err := tmpl.Parameters(); err != nil {
		return err
	}
	s, err := tmpl.Resolve(samtest.Options{Parameters: everything(), Secrets: secrets()})
	if err != nil {
		return err
	}
	for _, function := range s.Functions() {
		if _, err := s.Environment(function); err != nil {
			return err
		}
	}
	_, err = s.Policies()
	return err
}
