package cosbucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	cos "github.com/tencentyun/cos-go-sdk-v5"

	"github.com/kycvault/kycvault/pkg/secret"
)

// Credential is a key pair of CAM, with the session token where the pair is a temporary one.
type Credential struct {
	SecretID     string
	SecretKey    secret.Text
	SessionToken secret.Text // empty: a permanent pair
}

// Credentials gives the credential for one request. It is called for each one, since on SCF a role's temporary
// credentials come with each invocation and change during an instance's life (PLATFORMS, Tencent SCF): keep no copy.
type Credentials func(ctx context.Context) (Credential, error)

// errCredentials says that there is nothing to sign with. To try again at once would not help.
var errCredentials = errors.New("no credentials")

// A signature is valid from some time before it is made until some time after, so that a clock may be a little off.
const (
	validBefore = 5 * time.Minute
	validAfter  = 15 * time.Minute
)

// signer signs requests and reads the clock off answers.
type signer struct {
	credentials Credentials
	now         func() time.Time
	next        http.RoundTripper // nil is http.DefaultTransport
	clock       *clock
}

// RoundTrip implements http.RoundTripper.
func (s *signer) RoundTrip(req *http.Request) (*http.Response, error) {
	c, err := s.credentials(req.Context())
	if err == nil && (c.SecretID == "" || c.SecretKey.Empty()) {
		err = errors.New("secret id or secret key is empty")
	}
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, fmt.Errorf("%w: %w", errCredentials, err)
	}
	res, err := s.transport().RoundTrip(s.sign(req, c))
	if err == nil {
		s.clock.saw(res)
	}
	return res, err
}

func (s *signer) transport() http.RoundTripper {
	if s.next == nil {
		return http.DefaultTransport
	}
	return s.next
}

// sign gives a signed copy of req. What is signed, and how, is the SDK's (COS "Request Signature"); the times are ours.
func (s *signer) sign(req *http.Request, c Credential) *http.Request {
	signed := req.Clone(req.Context())
	if signed.Header.Get("Accept-Encoding") == "" {
		signed.Header.Set("Accept-Encoding", "identity") // a custom domain may compress, and then tells no length
	}
	from, until := s.now().Add(-validBefore), s.now().Add(validAfter)
	cos.AddAuthorizationHeader(c.SecretID, c.SecretKey.Reveal(), c.SessionToken.Reveal(), signed,
		&cos.AuthTime{SignStartTime: from, SignEndTime: until, KeyStartTime: from, KeyEndTime: until})
	return signed
}
