package faceid

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Reach asks the service for nothing, and says nothing of us: any HTTP answer shows that it can be reached. It gives the
// answer's Date, the service's clock to the second; zero where it has none. A failure is a *kyc.UpstreamError.
func (a *API) Reach(ctx context.Context) (time.Time, error) {
	req, err := a.request(ctx, http.MethodGet, "/", url.Values{}, nil)
	if err != nil {
		return time.Time{}, err
	}
	x, err := a.begin(req)
	if err != nil {
		return time.Time{}, transient(fmt.Errorf("reach %s: %w", a.base.Host, err))
	}
	defer x.end()
	date, err := http.ParseTime(x.res.Header.Get("Date"))
	if err != nil {
		return time.Time{}, nil //nolint:nilerr // a service without a clock is reached all the same
	}
	return date, nil
}
