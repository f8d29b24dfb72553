package scf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	sdkhttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
)

const (
	service    = "scf"
	version    = "2018-04-16"
	publicHost = "scf.tencentcloudapi.com"

	callTime  = 5 * time.Second // of one call: the API answers an asynchronous one at once, and the webhook's caller waits for it
	maxAnswer = 1 << 20         // bytes of an answer
)

// setOrigin takes an endpoint apart, as the SDK wants it.
func (d *Delayer) setOrigin(endpoint string) error {
	d.scheme, d.host = "https", publicHost
	if endpoint == "" {
		return nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return errors.New("the endpoint is not an origin such as https://host")
	}
	d.scheme, d.host = u.Scheme, u.Host
	return nil
}

// newClient makes the SDK's client: it signs and reads answers. It neither tries again nor changes to another host here.
func newClient(c Config, scheme, host string) *common.Client {
	p := profile.NewClientProfile()
	p.HttpProfile.Scheme, p.HttpProfile.Endpoint = scheme, host
	p.HttpProfile.ReqTimeout = int(callTime.Seconds())
	p.Language = "en-US"
	transport := c.Transport
	if transport == nil {
		transport = newTransport()
	}
	return common.NewCommonClient(nil, c.Region, p).WithHttpTransport(limited{transport})
}

// newTransport has time-outs for a call within the same cloud.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:       http.ProxyFromEnvironment,
		DialContext: (&net.Dialer{Timeout: 3 * time.Second}).DialContext, TLSHandshakeTimeout: 3 * time.Second,
		MaxIdleConnsPerHost: parallel, IdleConnTimeout: 90 * time.Second, ForceAttemptHTTP2: true,
	}
}

// limited reads no more than an answer of the API has: the SDK reads all that comes.
type limited struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := l.RoundTripper.RoundTrip(r)
	if err == nil {
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, maxAnswer), res.Body}
	}
	return res, err
}

// send hands one event over, at its turn. What may pass by itself is tried again: an event that comes twice does no harm.
func (d *Delayer) send(ctx context.Context, event []byte) error {
	wait := firstWait
	for try := 1; ; try++ {
		if err := d.turn(ctx); err != nil {
			return err
		}
		err := d.invoke(ctx, event)
		if err == nil || try == tries || !passing(err) {
			return err
		}
		if pause(ctx, wait) != nil {
			return err
		}
		wait *= 2
	}
}

// turn waits until a call may go out: perSecond of them in a second, evenly.
func (d *Delayer) turn(ctx context.Context) error {
	d.mu.Lock()
	at := time.Now()
	if d.next.After(at) {
		at = d.next
	}
	d.next = at.Add(time.Second / perSecond)
	d.mu.Unlock()
	return pause(ctx, time.Until(at))
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// answer is what the API says of an asynchronous Invoke.
type answer struct {
	sdkhttp.BaseResponse
	Response struct {
		RequestID string `json:"RequestId"`
		Result    *struct {
			InvokeResult int // 0: taken
		}
	}
}

// invoke makes one call, and takes nothing but a whole and good answer for success.
func (d *Delayer) invoke(ctx context.Context, event []byte) error {
	c, err := d.config.Credentials(ctx)
	if err == nil && (c.SecretID == "" || c.SecretKey.Empty()) {
		err = errors.New("secret id or secret key is empty")
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errCredentials, err)
	}
	request := sdkhttp.NewCommonRequest(service, version, "Invoke")
	request.SetContext(ctx)
	if err := request.SetActionParameters(d.parameters(event)); err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	var a answer
	client := *d.sdk // a copy, whose credential is this call's
	if err := client.WithCredential(credential(c)).Send(request, &a); err != nil {
		return explain(err)
	}
	switch {
	case a.Response.RequestID == "" || a.Response.Result == nil:
		return &Error{Code: codeNotTheAPI}
	case a.Response.Result.InvokeResult != 0:
		return &Error{Code: fmt.Sprintf("InvokeResult %d", a.Response.Result.InvokeResult), RequestID: a.Response.RequestID}
	}
	return nil
}

func (d *Delayer) parameters(event []byte) map[string]any {
	p := map[string]any{"FunctionName": d.config.Function.Name, "InvocationType": "Event", "ClientContext": string(event)}
	if ns := d.config.Function.Namespace; ns != "" {
		p["Namespace"] = ns
	}
	if q := d.config.Function.Qualifier; q != "" {
		p["Qualifier"] = q
	}
	return p
}

// credential is a Credential as the SDK takes it.
type credential Credential

// GetCredential implements common.CredentialIface.
func (c credential) GetCredential() (id, key, token string) {
	return c.SecretID, c.SecretKey.Reveal(), c.SessionToken.Reveal()
}

// GetSecretId implements common.CredentialIface.
func (c credential) GetSecretId() string { return c.SecretID }

// GetSecretKey implements common.CredentialIface.
func (c credential) GetSecretKey() string { return c.SecretKey.Reveal() }

// GetToken implements common.CredentialIface.
func (c credential) GetToken() string { return c.SessionToken.Reveal() }
