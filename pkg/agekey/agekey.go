// Package agekey encrypts evidence to keys that no function holds, as files of age (age-encryption.org/v1, filippo.io/age), and
// reads what stands in the open before such a file. It is the one package that knows age: public keys go in with
// KYC_RECIPIENTS, secret ones only into the operator's command.
package agekey

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"filippo.io/age"
)

// Recipients are public keys (X25519); the holder of any one of their secret keys can decrypt. Nil is none: nothing is encrypted.
type Recipients []*age.X25519Recipient

// The beginnings of what people put into the wrong place.
const (
	publicBegin  = "age1"
	secretBegin  = "AGE-SECRET-KEY-"
	pluginBegin  = "AGE-PLUGIN-"
	quantumBegin = "age1pq1"
	sshBegin     = "ssh-"
)

// ParseRecipients reads a comma-separated list of public keys. The error lists all that is wrong, by place in the list, and
// repeats no key: one of them may be a secret.
func ParseRecipients(list string) (Recipients, error) {
	if strings.TrimSpace(list) == "" {
		return nil, nil
	}
	var keys Recipients
	var wrong []error
	places := make(map[string]int)
	for i, item := range strings.Split(list, ",") {
		item = strings.TrimSpace(item)
		key, err := parseRecipient(item)
		if err == nil && places[item] > 0 {
			err = fmt.Errorf("is key %d again", places[item])
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("key %d %w", i+1, err))
			continue
		}
		places[item] = i + 1
		keys = append(keys, key)
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	return keys, nil
}

func parseRecipient(s string) (*age.X25519Recipient, error) {
	switch {
	case s == "":
		return nil, errors.New("is empty")
	case strings.HasPrefix(strings.ToUpper(s), secretBegin), strings.HasPrefix(strings.ToUpper(s), pluginBegin):
		return nil, errors.New("is a secret key: take it out at once, and put its public key (age1…) here; the secret one never goes where functions run")
	case strings.HasPrefix(s, quantumBegin):
		return nil, errors.New("is a post-quantum key, which is not supported: age before 1.3 could not decrypt")
	case strings.HasPrefix(s, sshBegin):
		return nil, errors.New("is an SSH key, which is not supported")
	case !strings.HasPrefix(s, publicBegin):
		return nil, errors.New("is no public key of age (age1…)")
	}
	key, err := age.ParseX25519Recipient(s)
	if err != nil {
		return nil, errors.New("is mistyped: its checksum is wrong, or it is a plugin's key, which is not supported")
	}
	if _, err := key.Wrap(make([]byte, fileKeySize)); err != nil {
		return nil, errors.New("is a point that nothing can be encrypted to") // low order: it would fail at each order
	}
	return key, nil
}

const fileKeySize = 16

// String gives the list as ParseRecipients reads it.
func (r Recipients) String() string {
	var items []string
	for _, key := range r {
		items = append(items, key.String())
	}
	return strings.Join(items, ",")
}

// Encrypt gives a writer whose bytes go to w encrypted, 64 KiB at a time, in constant memory. Close writes the last of
// them, and leaves w open. A note, nil for none, stands readable before the ciphertext, in a stanza of age's header: every
// reader of age passes over it, and a key's holder sees that it is unchanged, since the header's MAC covers it.
func (r Recipients) Encrypt(w io.Writer, note []byte) (io.WriteCloser, error) {
	var to []age.Recipient
	for _, key := range r {
		to = append(to, key)
	}
	if note != nil {
		to = append(to, noteStanza(note))
	}
	enc, err := age.Encrypt(w, to...)
	if err != nil {
		return nil, fmt.Errorf("begin encryption: %w", err)
	}
	return enc, nil
}

// noteType is the type of the stanza that holds a note. Its body is the note.
const noteType = "kycvault-note"

// noteStanza is a note as age takes it: a recipient whom nothing is wrapped for.
type noteStanza []byte

// Wrap implements age.Recipient.
func (n noteStanza) Wrap([]byte) ([]*age.Stanza, error) {
	return []*age.Stanza{{Type: noteType, Body: slices.Clone(n)}}, nil
}
