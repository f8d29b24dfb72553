package faceidtest

import (
	"errors"
	"fmt"
	"net/url"
)

// errNoTicket says that nobody has fetched a ticket yet, or that it is dead.
var errNoTicket = errors.New("no ticket is alive")

// RedirectQuery is what mobile H5 adds to the customer's URL when a check has ended, signed with the ticket of the
// moment (PROTOCOL sections 2 and 6): newSignature, and an undocumented signature that proves nothing.
func (s *Server) RedirectQuery(order, code string) (url.Values, error) {
	q, err := s.redirect(order, code, "newSignature")
	if err != nil {
		return nil, err
	}
	q.Set("liveRate", "99")
	q.Set("signature", sign("undocumented", order))
	return q, nil
}

// RedirectQueryPC is the same for PC H5: newSign.
func (s *Server) RedirectQueryPC(order, code string) (url.Values, error) {
	return s.redirect(order, code, "newSign")
}

func (s *Server) redirect(order, code, field string) (url.Values, error) {
	t, ok := s.Ticket()
	if !ok {
		return nil, fmt.Errorf("sign redirect: %w", errNoTicket)
	}
	return url.Values{
		"code":     {code},
		"orderNo":  {order},
		"h5faceId": {sign("h5faceId", order)[:32]},
		field:      {sign(s.config.AppID, order, t.Reveal(), code)},
	}, nil
}
