package platform

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseArchive(t *testing.T) {
	tests := []struct {
		location string
		want     Archive
		form     string // what String gives; "" is the location
	}{
		{"file:///srv/kyc", Archive{Scheme: SchemeFile, Path: "/srv/kyc", Options: url.Values{}}, ""},
		{"file:///srv//a/../my%20kyc/", Archive{Scheme: SchemeFile, Path: "/srv/my kyc", Options: url.Values{}}, "file:///srv/my%20kyc"},
		{"s3://vault-bucket", Archive{Scheme: SchemeS3, Bucket: "vault-bucket", Options: url.Values{}}, ""},
		{"s3://vault.bucket/a/b/?region=&path_style=true", Archive{Scheme: SchemeS3, Bucket: "vault.bucket", Prefix: "a/b", Options: url.Values{"path_style": {"true"}}},
			"s3://vault.bucket/a/b?path_style=true"},
		{"s3://vault-bucket/kyc?region=eu-central-1&endpoint=http%3A%2F%2F127.0.0.1%3A7070&path_style=true&lock=compliance&retain=1825d&kms=alias%2Fkyc",
			Archive{Scheme: SchemeS3, Bucket: "vault-bucket", Prefix: "kyc", Options: url.Values{"region": {"eu-central-1"}, "endpoint": {"http://127.0.0.1:7070"},
				"path_style": {"true"}, "lock": {"compliance"}, "retain": {"1825d"}, "kms": {"alias/kyc"}}},
			"s3://vault-bucket/kyc?endpoint=http%3A%2F%2F127.0.0.1%3A7070&kms=alias%2Fkyc&lock=compliance&path_style=true&region=eu-central-1&retain=1825d"},
		{"s3://vault-bucket?storage_class=STANDARD_IA", Archive{Scheme: SchemeS3, Bucket: "vault-bucket", Options: url.Values{"storage_class": {"STANDARD_IA"}}}, ""},
		{"cos://vault-1250000000/kyc?region=ap-guangzhou", Archive{Scheme: SchemeCOS, Bucket: "vault-1250000000", Prefix: "kyc", Options: url.Values{"region": {"ap-guangzhou"}}}, ""},
		{"cos://vault-1250000000?encryption=cos%2Fkms&endpoint=https%3A%2F%2Fevidence.example.com&kms=key-1&storage_class=STANDARD_IA", Archive{Scheme: SchemeCOS, Bucket: "vault-1250000000",
			Options: url.Values{"endpoint": {"https://evidence.example.com"}, "storage_class": {"STANDARD_IA"}, "encryption": {"cos/kms"}, "kms": {"key-1"}}}, ""},
	}
	for _, test := range tests {
		got, err := ParseArchive(test.location)
		if err != nil {
			t.Errorf("ParseArchive(%q) = %v", test.location, err)
			continue
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("ParseArchive(%q) (-want +got):\n%s", test.location, diff)
		}
		want := test.form
		if want == "" {
			want = test.location
		}
		if got.String() != want {
			t.Errorf("String of %q = %q, want %q", test.location, got.String(), want)
		}
	}
}

func TestParseArchiveRefuses(t *testing.T) {
	tests := []struct{ location, problem string }{
		{"/srv/kyc", "scheme"},
		{"gs://bucket", "scheme"},
		{"file://srv/kyc", "absolute"},
		{"file:srv/kyc", "absolute"},
		{"file:///", "root folder"},
		{"file:///a%00b", "zero byte"},
		{"file:///srv?region=x", `option "region" is not known to file`},
		{"file:///srv#x", "fragment"},
		{"s3://", "3 to 63"},
		{"s3://My_Bucket", "3 to 63"},
		{"s3://bucket:80", "3 to 63"},
		{"s3://key:secret@bucket", "password"},
		{"s3://bucket/a//b", "single slashes"},
		{"s3://bucket/a/../b", "single slashes"},
		{"s3://bucket/日", "single slashes"},
		{"s3://bucket?acl=public", `option "acl" is not known to s3`},
		{"s3://bucket?region=a&region=b", `option "region" is given 2 times`},
		{"s3://bucket?path_style=yes", `option "path_style"`},
		{"s3://bucket?lock=compliance", "go together"},
		{"s3://bucket?retain=5d", "go together"},
		{"s3://bucket?lock=legal&retain=5d", `option "lock"`},
		{"s3://bucket?lock=compliance&retain=5y", `option "retain"`},
		{"s3://bucket?endpoint=s3.example", `option "endpoint"`},
		{"s3://bucket?storage_class=standard", `option "storage_class"`},
		{"s3://bucket?endpoint=https%3A%2F%2Fu%3Ap%40s3.example", `option "endpoint"`},
		{"s3://bucket?a;b", "can not be read"},
		{"cos://vault", "name-appid"},
		{"cos://vault-1250000000?encryption=rot13", `option "encryption"`},
		{"cos://vault-1250000000?encryption=AES256&kms=key-1", `"kms" needs another "encryption"`},
		{"cos://vault-1250000000?storage_class=ia", `option "storage_class"`},
		{"cos://vault-1250000000?lock=compliance&retain=5d", `option "lock" is not known to cos`},
	}
	for _, test := range tests {
		if _, err := ParseArchive(test.location); err == nil || !strings.Contains(err.Error(), test.problem) {
			t.Errorf("ParseArchive(%q) = %v, want …%s…", test.location, err, test.problem)
		}
	}
}

// TestOptionsHint proves that a mistake names the options there are, since the unknown one is often misspelt.
func TestOptionsHint(t *testing.T) {
	_, err := Load(least().with("KYC_ARCHIVE", "s3://bucket?pathstyle=true").lookup, 0)
	if err == nil || !strings.Contains(err.Error(), "options endpoint, kms, lock, path_style, region, retain, storage_class") {
		t.Errorf("Load = %v, want the options listed", err)
	}
}

func FuzzParseArchive(f *testing.F) {
	for _, seed := range []string{"file:///srv/kyc", "file:///a%20b/..", "s3://bucket/p?region=r&lock=compliance&retain=1d", "cos://b-1/p?endpoint=http%3A%2F%2Fh", "s3://b:1/%2e%2e", "::"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, location string) {
		a, err := ParseArchive(location)
		if err != nil {
			return
		}
		if !strings.HasPrefix(a.Path, "/") && a.Bucket == "" {
			t.Errorf("%q has neither an absolute folder nor a bucket", location)
		}
		again, err := ParseArchive(a.String())
		if err != nil {
			t.Fatalf("%q became %q: %v", location, a, err)
		}
		if diff := cmp.Diff(a, again); diff != "" {
			t.Errorf("%q read back (-first +second):\n%s", location, diff)
		}
	})
}
