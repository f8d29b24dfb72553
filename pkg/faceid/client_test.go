package faceid

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/secret"
)

// ladder is a Tickets that gives one ticket after the other, and err when there is none left.
type ladder struct {
	tickets []string
	err     error
	refused []int64 // generations that were handed back
}

func (l *ladder) at(n int64) (Ticket, error) {
	if int(n) >= len(l.tickets) {
		return Ticket{}, l.err
	}
	return Ticket{Value: secret.New(l.tickets[n]), Generation: n}, nil
}

func (l *ladder) Current(context.Context) (Ticket, error) { return l.at(0) }

func (l *ladder) Refused(_ context.Context, used Ticket) (Ticket, error) {
	l.refused = append(l.refused, used.Generation)
	return l.at(used.Generation + 1)
}

// taking answers as the service does when good is the only ticket it takes.
func taking(good string, refusal func(asked) string) func(asked) string {
	return func(a asked) string {
		v := a.URL.Query()
		if v.Get("sign") != Sign(v.Get("app_id"), v.Get("order_no"), v.Get("version"), good, v.Get("nonce")) {
			return refusal(a)
		}
		return say(200, zeroReply)(a)
	}
}

var badTicket = `{"code":"400102","msg":"bad ticket"}`

func TestClient(t *testing.T) {
	none := errors.New("the generation is younger than two minutes")
	for _, c := range []struct {
		name    string
		tickets []string
		answer  func(asked) string
		class   kyc.Class // of the error; "" is none
		code    string
		is      error
		refused []int64
		asked   int
	}{
		{"good at once", []string{"a"}, taking("a", say(200, badTicket)), "", "0", nil, nil, 1},
		{"good at the second", []string{"a", "b"}, taking("b", say(200, badTicket)), "", "0", nil, []int64{0}, 2},
		{"good at the second, with a status", []string{"a", "b"}, taking("b", say(401, badTicket)), "", "0", nil, []int64{0}, 2},
		{"good at the third, which is not tried", []string{"a", "b", "c"}, taking("c", say(200, badTicket)), kyc.Ticket, "400102", errTicketRefused, []int64{0}, 2},
		{"no other", []string{"a"}, taking("b", say(200, badTicket)), kyc.Ticket, "400102", none, []int64{0}, 1},
		{"none at all", nil, taking("b", say(200, badTicket)), kyc.Transient, "", none, nil, 0},
		{"pending is a reply", []string{"a", "b"}, say(200, `{"code":"66660011"}`), "", "66660011", nil, nil, 1},
		{"broken is no question of tickets", []string{"a", "b"}, say(502, ``), kyc.Transient, "", nil, nil, 1},
		{"ticket class with media is kept", []string{"a", "b"}, say(200, `{"code":"400102","photo":"QUJD"}`), "", "400102", nil, nil, 1},
		{"ticket class of another order", []string{"a", "b"}, say(200, `{"code":"400102","orderNo":"another"}`), kyc.Transient, "400102", kyc.ErrForeign, nil, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newRawServer(t, c.answer)
			l := &ladder{tickets: c.tickets, err: none}
			client := &Client{API: newTestAPI(t, s.url), Tickets: l}
			media := collected{}
			reply, err := client.Query(t.Context(), testOrder, kyc.Photo, media.sink)
			if c.class == "" {
				if err != nil || reply.Code != c.code {
					t.Errorf("%+v, %v", reply, err)
				}
			} else {
				if err == nil || kyc.ClassOf(err) != c.class || codeOf(err) != c.code || c.is != nil && !errors.Is(err, c.is) {
					t.Errorf("error is %v", err)
				}
			}
			if diff := cmp.Diff(c.refused, l.refused); diff != "" {
				t.Errorf("handed back (-want +got):\n%s", diff)
			}
			if n := len(s.requests()); n != c.asked {
				t.Errorf("asked %d times, want %d", n, c.asked)
			}
			if strings.Contains(c.name, "kept") && len(media[archive.Photo]) != 1 {
				t.Error("the photo is gone")
			}
		})
	}
}

// TestClientSecondFails: what the second try says counts, whatever it is.
func TestClientSecondFails(t *testing.T) {
	answers := make(chan string, 2)
	s := newRawServer(t, func(a asked) string { return say(200, <-answers)(a) })
	client := &Client{API: newTestAPI(t, s.url), Tickets: &ladder{tickets: []string{"a", "b"}}}
	answers <- badTicket
	answers <- `{"code":"0"`
	_, err := client.Query(t.Context(), testOrder, kyc.Photo, nil)
	wantClass(t, "torn", err, kyc.Transient)
	if nonces := s.requests(); nonces[0].URL.Query().Get("nonce") == nonces[1].URL.Query().Get("nonce") {
		t.Error("the nonce was used twice")
	}
}
