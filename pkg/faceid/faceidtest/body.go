package faceidtest

import "io"

// body is the body of a reply: literal text, and media that are encoded while they are written.
type body struct{ parts []part }

// part is one or the other.
type part struct {
	text   string
	medium Medium
}

func textBody(s string) *body { return &body{parts: []part{{text: s}}} }

func (b *body) literal(s string) {
	if n := len(b.parts); n > 0 && b.parts[n-1].medium.Empty() {
		b.parts[n-1].text += s
		return
	}
	b.parts = append(b.parts, part{text: s})
}

func (b *body) medium(m Medium) {
	if !m.Empty() {
		b.parts = append(b.parts, part{medium: m})
	}
}

// size is the length in bytes as sent.
func (b *body) size() int64 {
	var n int64
	for _, p := range b.parts {
		n += int64(len(p.text)) + (p.medium.size+2)/3*4
	}
	return n
}

func (b *body) writeTo(w io.Writer) error {
	for _, p := range b.parts {
		if _, err := io.WriteString(w, p.text); err != nil {
			return err
		}
		if p.medium.Empty() {
			continue
		}
		if err := writeBase64(w, p.medium.Open()); err != nil {
			return err
		}
	}
	return nil
}
