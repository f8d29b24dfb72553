package profile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// files writes the two files of a profile and makes them the ones that are read, with nothing else in the environment.
func files(t *testing.T, config, credentials string) {
	t.Helper()
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for name, text := range map[string]string{"AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": credentials} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv(name, file)
	}
}

const (
	someConfig = "[default]\nregion = eu-west-1\n[profile vault]\nregion = eu-central-1\n"
	someKeys   = "[default]\naws_access_key_id = AKDEFAULT\naws_secret_access_key = s1\n" +
		"[vault]\naws_access_key_id = AKVAULT\naws_secret_access_key = s2\naws_session_token = t2\n"
)

func TestLoad(t *testing.T) {
	tests := map[string]struct {
		env                  map[string]string
		region, key, session string
	}{
		"default profile": {nil, "eu-west-1", "AKDEFAULT", ""},
		"named profile":   {map[string]string{"AWS_PROFILE": "vault"}, "eu-central-1", "AKVAULT", "t2"},
		"environment": {map[string]string{"AWS_REGION": "us-west-2", "AWS_ACCESS_KEY_ID": "AKENV", "AWS_SECRET_ACCESS_KEY": "s3", "AWS_SESSION_TOKEN": "t3"},
			"us-west-2", "AKENV", "t3"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			files(t, someConfig, someKeys)
			for k, v := range test.env {
				t.Setenv(k, v)
			}
			who, err := Load(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			keys, err := who.Credentials.Retrieve(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if who.Region != test.region || keys.AccessKeyID != test.key || keys.SessionToken != test.session {
				t.Errorf("region %q, key %q, session %q", who.Region, keys.AccessKeyID, keys.SessionToken)
			}
		})
	}
}

// TestLoadWithoutAnything: it is no error to have no credentials before they are needed; a profile that is not there is one.
func TestLoadWithoutAnything(t *testing.T) {
	files(t, "", "")
	who, err := Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := who.Credentials.Retrieve(t.Context()); err == nil {
		t.Error("credentials out of nowhere")
	}
	t.Setenv("AWS_PROFILE", "mistyped")
	if _, err := Load(t.Context()); err == nil || !strings.Contains(err.Error(), "AWS_PROFILE") || !strings.Contains(err.Error(), "mistyped") {
		t.Errorf("error %v", err)
	}
}
