// Package cosarchive says what a cos:// archive means to the COS driver, for whoever opens one: SCF's functions, the operator's
// command, and a function of another cloud. It knows no function and no event, so that nobody links those for it.
package cosarchive

import (
	"context"
	"errors"
	"fmt"

	"github.com/kycvault/kycvault/pkg/bucket/cosbucket"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/secret"
)

// Config is what a cos:// archive's options mean to the driver. The archive's own region goes before the one that is
// given. A KMS key alone means encryption with it. The archive's prefix is for bucket.Prefixed.
func Config(a platform.Archive, region string, credentials cosbucket.Credentials) cosbucket.Config {
	c := cosbucket.Config{
		Bucket: a.Bucket, Region: a.Options.Get("region"), Endpoint: a.Options.Get("endpoint"), Credentials: credentials,
		StorageClass: a.Options.Get("storage_class"), Encryption: a.Options.Get("encryption"), KMSKey: a.Options.Get("kms"),
	}
	if c.Region == "" {
		c.Region = region
	}
	if c.KMSKey != "" && c.Encryption == "" {
		c.Encryption = cosbucket.EncryptionKMS
	}
	return c
}

// spelling is one way to name a credential's variables.
type spelling struct{ id, key, token string }

// spellings are those of Tencent's command lines and SDKs, and then those of SCF's runtime (PLATFORMS, Tencent SCF).
func spellings() []spelling {
	return []spelling{
		{"TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_TOKEN"},
		{"TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SESSIONTOKEN"},
	}
}

// ErrNoCredentials says that the environment holds none.
var ErrNoCredentials = errors.New("no Tencent Cloud credentials: set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY, and TENCENTCLOUD_TOKEN for temporary ones")

// Environment reads the credential from the environment, each time. The two spellings are never mixed; half a pair is an
// error, as the other spelling's would be another account.
func Environment(lookup platform.Lookup) cosbucket.Credentials {
	value := func(name string) string { v, _ := lookup(name); return v }
	return func(context.Context) (cosbucket.Credential, error) {
		for _, s := range spellings() {
			id, key := value(s.id), value(s.key)
			switch {
			case id != "" && key != "":
				return cosbucket.Credential{SecretID: id, SecretKey: secret.New(key), SessionToken: secret.New(value(s.token))}, nil
			case id != "" || key != "":
				return cosbucket.Credential{}, fmt.Errorf("of %s and %s only one is set", s.id, s.key)
			}
		}
		return cosbucket.Credential{}, ErrNoCredentials
	}
}

// Open opens a cos:// archive's bucket, without the archive's prefix, as whom the environment says. It reaches nothing, and
// fails at once where there is no credential.
func Open(a platform.Archive, lookup platform.Lookup) (*cosbucket.Bucket, error) {
	credentials := Environment(lookup)
	if _, err := credentials(context.Background()); err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	region, _ := lookup("TENCENTCLOUD_REGION")
	b, err := cosbucket.New(Config(a, region, credentials))
	if err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	return b, nil
}
