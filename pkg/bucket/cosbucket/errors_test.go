package cosbucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/cosbucket/costest"
	"github.com/kycvault/kycvault/pkg/secret"
)

// TestErrorsTellApart: what a person reads says what failed and what to do.
func TestErrorsTellApart(t *testing.T) {
	wrong := costest.DefaultKey
	wrong.SecretKey = "another"
	temporary := costest.Key{SecretID: "AKIDtemporary", SecretKey: "k", Token: "token-1"}
	dead := temporary
	dead.Expires = time.Now().Add(-time.Minute)
	other := temporary
	other.Token = "token-2"
	deny := func(string, string, string) bool { return false }
	late := func() time.Time { return time.Now().Add(time.Hour) }
	tests := []struct {
		name    string
		server  costest.Config
		prepare func(*costest.Running)
		change  func(*Config)
		kind    Kind
		text    string
	}{
		{"no right", costest.Config{Allow: deny}, nil, nil, Denied, "403 AccessDenied (request id "},
		{"secret id", costest.Config{Keys: []costest.Key{temporary}}, nil, nil, BadCredentials, "secret id is not known"},
		{"secret key", costest.Config{}, nil, func(c *Config) { c.Credentials = with(wrong) }, BadCredentials, "does not fit"},
		{"expired token", costest.Config{Keys: []costest.Key{dead}}, nil, func(c *Config) { c.Credentials = with(dead) }, BadCredentials, "session token has expired"},
		{"another token", costest.Config{Keys: []costest.Key{temporary}}, nil, func(c *Config) { c.Credentials = with(other) }, BadCredentials, "session token"},
		{"clock ahead", costest.Config{}, nil, func(c *Config) { c.Now = late }, BadClock, "ahead)"},
		{"clock behind", costest.Config{Now: late}, nil, nil, BadClock, "behind)"},
		{"bucket", costest.Config{}, func(s *costest.Running) { s.DropBucket() }, nil, NoBucket, "no such bucket"},
		{"busy", costest.Config{}, func(s *costest.Running) {
			_ = s.AddFault(costest.Fault{Status: 503, Code: "SlowDown", Times: -1})
		}, nil, Busy, "503 SlowDown"},
		{"elsewhere", costest.Config{}, func(s *costest.Running) { _ = s.AddFault(costest.Fault{Status: 301, Times: -1}) }, nil, Refused, "somewhere else"},
		{"archived", costest.Config{}, func(s *costest.Running) {
			_ = s.AddFault(costest.Fault{Status: 403, Code: "InvalidObjectState", Times: -1})
		}, nil, Refused, "restore it"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := costest.Start(t, test.server)
			if test.prepare != nil {
				test.prepare(s)
			}
			b := open(t, s, test.change)
			_, _, err := b.Get(t.Context(), "orders/A1/a")
			if kindOf(err) != test.kind || !strings.Contains(err.Error(), test.text) || !strings.Contains(err.Error(), "get object orders/A1/a: ") {
				t.Errorf("%s error %q, want %s: …%s…", kindOf(err), err, test.kind, test.text)
			}
		})
	}
}

// TestSecretsStayIn: no error of any method, under any answer, holds a secret, a token, a signature, a query or the other
// side's text.
func TestSecretsStayIn(t *testing.T) {
	key := costest.Key{SecretID: "AKIDplanted", SecretKey: "PLANTED-secret", Token: "PLANTED-token"}
	faults := []costest.Fault{
		{Status: 403, Code: "AccessDenied"}, {Status: 403, Code: "SignatureDoesNotMatch"}, {Status: 400, Code: "Invalid PLANTED argument"},
		{Status: 200}, {Reset: true}, {Status: 418}, {Status: 302, Header: map[string]string{"Location": "/?PLANTED"}},
		{Cut: 1}, {Header: map[string]string{"x-cos-request-id": "PLANTED <id>"}, Status: 404},
	}
	for i, f := range faults {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			s := costest.Start(t, costest.Config{Keys: []costest.Key{key}})
			b := open(t, s, func(c *Config) { c.Credentials = with(key) })
			create(t, b, "there", "content")
			f.Times = -1
			fault(t, s, f)
			for name, err := range everyCall(t.Context(), b) {
				t.Log(name, err)
				for _, secret := range []string{"PLANTED", "q-sign", "?", "encoding-type", "a fault that", "127.0.0.1/"} {
					if err != nil && strings.Contains(err.Error(), secret) {
						t.Errorf("%s: %q in %v", name, secret, err)
					}
				}
			}
		})
	}
}

// everyCall calls every method.
func everyCall(ctx context.Context, b *Bucket) map[string]error {
	errs := map[string]error{
		"Create": b.Create(ctx, "new", text("x")),
		"Put":    b.Put(ctx, "new", text("x")),
		"Delete": b.Delete(ctx, "there"),
	}
	if r, _, err := b.Get(ctx, "there"); err != nil {
		errs["Get"] = err
	} else {
		_ = r.Close()
	}
	for _, err := range b.List(ctx, "th", "") {
		errs["List"] = err
	}
	_, errs["Versioning"] = b.Versioning(ctx)
	b.clock.last.Store(nil)
	_, errs["Now"] = b.Now(ctx)
	return errs
}

// TestNoAnswer: a host that is not there.
func TestNoAnswer(t *testing.T) {
	s := costest.Start(t, costest.Config{})
	b := open(t, s, func(c *Config) { c.Endpoint = "http://127.0.0.1:1" })
	_, _, err := b.Get(t.Context(), "a")
	if kindOf(err) != Unreachable || !strings.Contains(err.Error(), "no answer of COS: dial tcp") {
		t.Errorf("Get = %v", err)
	}
}

// TestNoCredentials: nothing is sent, and nothing tried again, where there is nothing to sign with.
func TestNoCredentials(t *testing.T) {
	s := costest.Start(t, costest.Config{})
	cause := errors.New("the role is gone")
	for name, credentials := range map[string]Credentials{
		"error": func(context.Context) (Credential, error) { return Credential{}, cause },
		"empty": func(context.Context) (Credential, error) { return Credential{SecretID: "x"}, nil },
	} {
		calls := 0
		b := open(t, s, func(c *Config) {
			c.Credentials = func(ctx context.Context) (Credential, error) { calls++; return credentials(ctx) }
		})
		err := b.Put(t.Context(), "a", text("x"))
		if !errors.Is(err, errCredentials) || name == "error" && !errors.Is(err, cause) || calls != 1 {
			t.Errorf("%s: Put = %v after %d calls", name, err, calls)
		}
	}
	if len(s.History()) != 0 {
		t.Error("something was sent")
	}
}

func TestNewRefuses(t *testing.T) {
	good := Config{Bucket: "vault-1250000000", Region: "ap-guangzhou", Credentials: with(costest.DefaultKey)}
	if b, err := New(good); err != nil || b.sdk.BaseURL.BucketURL.String() != "https://vault-1250000000.cos.ap-guangzhou.myqcloud.com" {
		t.Fatalf("New = %v", err)
	}
	tests := map[string]func(*Config){
		"name-appid":         func(c *Config) { c.Bucket = "vault" },
		"no region":          func(c *Config) { c.Region = "" },
		"no credentials":     func(c *Config) { c.Credentials = nil },
		"restored":           func(c *Config) { c.StorageClass = "DEEP_ARCHIVE" },
		"encryption is none": func(c *Config) { c.Encryption = "rot13" },
		"a KMS key":          func(c *Config) { c.KMSKey = "k" },
		"not an https":       func(c *Config) { c.Endpoint = "cos.example.com" },
		"more than scheme":   func(c *Config) { c.Endpoint = "https://cos.example.com/vault" },
		"own URL":            func(c *Config) { c.Endpoint = "https://cos.ap-guangzhou.myqcloud.com" },
	}
	for want, change := range tests {
		c := good
		change(&c)
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New = %v, want …%s…", err, want)
		}
	}
	for _, endpoint := range []string{"https://evidence.example.com", "https://vault-1250000000.cos.accelerate.myqcloud.com/", "http://vault-1250000000.cos-internal.ap-guangzhou.tencentcos.cn"} {
		c := good
		c.Region, c.Endpoint = "", endpoint
		b, err := New(c)
		if err != nil {
			t.Errorf("New with %s = %v", endpoint, err)
			continue
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := b.Get(ctx, "a"); !errors.Is(err, context.Canceled) { // and not the SDK's "invalid bucket format"
			t.Errorf("Get at %s = %v", endpoint, err)
		}
	}
}

// TestRotation: each request is signed with what is good then, also when the change comes between two tries.
func TestRotation(t *testing.T) {
	pair := func(n int) costest.Key {
		return costest.Key{SecretID: fmt.Sprint("AKID", n), SecretKey: fmt.Sprint("key", n), Token: fmt.Sprint("token", n)}
	}
	s := costest.Start(t, costest.Config{Keys: []costest.Key{pair(1)}})
	asked := 0
	b := open(t, s, func(c *Config) {
		c.Credentials = func(context.Context) (Credential, error) {
			asked++
			k := pair(1)
			if asked > 3 { // versioning, a, and b's first try
				k = pair(2)
			}
			return Credential{SecretID: k.SecretID, SecretKey: secret.New(k.SecretKey), SessionToken: secret.New(k.Token)}, nil
		}
	})
	create(t, b, "a", "x")
	s.Accept(pair(2))
	create(t, b, "b", "y")
	if got := read(t, b, "b"); got != "y" {
		t.Errorf("b holds %q", got)
	}
	last := s.History()[len(s.History())-1]
	if last.SecretID != "AKID2" || !last.Temp {
		t.Errorf("the last call bore %+v", last)
	}
}

// TestClientIsLeftAlone: the SDK changes the client it is given.
func TestClientIsLeftAlone(t *testing.T) {
	s := costest.Start(t, costest.Config{})
	client := &http.Client{}
	open(t, s, func(c *Config) { c.Client = client })
	if client.CheckRedirect != nil || client.Transport != nil {
		t.Error("changed")
	}
}

var _ bucket.Bucket = (*Bucket)(nil)
