package ticket

import "context"

// Seen asks the service unless that was just done, and gives its ticket as a pair without an access token, whose generation
// counts the tickets that this process has seen. It may be at its end: see Expires.
func (r *Remote) Seen(ctx context.Context) (Pair, error) {
	s, err := r.fetch(ctx, remoteAge)
	if s.newest.exists() {
		return s.newest, nil
	}
	return Pair{}, err
}
