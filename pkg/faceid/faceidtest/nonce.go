package faceidtest

// nonces remembers the nonces that were used: at least the last `generation` of them, so that a long run does not grow.
// The Server's lock guards it.
type nonces struct {
	generation    int
	recent, older map[string]struct{}
}

const nonceGeneration = 500_000

// use takes a nonce; false when it was used before.
func (n *nonces) use(nonce string) bool {
	_, now := n.recent[nonce]
	_, before := n.older[nonce]
	if now || before {
		return false
	}
	if n.recent == nil || len(n.recent) >= n.generation {
		n.recent, n.older = make(map[string]struct{}), n.recent
	}
	n.recent[nonce] = struct{}{}
	return true
}
