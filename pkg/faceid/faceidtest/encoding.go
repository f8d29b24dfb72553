package faceidtest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
)

// encoding turns the Base64 of a medium into the inside of a JSON string; nil is plain Base64, streamed.
type encoding func(mediaType, text string) string

// escaped uses the JSON escapes that were seen inside Base64 (PROTOCOL section 4).
func escaped(_, text string) string {
	return strings.NewReplacer("/", `\/`, "+", `\u002b`, "=", `\u003D`).Replace(text)
}

// wrapped breaks lines as MIME does.
func wrapped(_, text string) string {
	const lineLen = 76
	var b strings.Builder
	for len(text) > lineLen {
		b.WriteString(text[:lineLen] + `\r\n`)
		text = text[lineLen:]
	}
	return b.String() + text + `\n`
}

func dataURL(mediaType, text string) string {
	return "data:" + strings.ReplaceAll(mediaType, "/", `\/`) + ";base64," + text
}

// midQuantum ends three characters into a group of four, and before the end of the bytes.
func midQuantum(_, text string) string { return text[:max(0, len(text)-5)] }

// apply gives what stands in the reply for a medium.
func (e encoding) apply(m Medium) any {
	if e == nil || m.Empty() {
		return m
	}
	b, err := io.ReadAll(m.Open())
	if err != nil {
		panic(fmt.Sprintf("faceidtest: read a medium: %v", err)) // it is made in memory
	}
	return rawString(e(m.mediaType, base64.StdEncoding.EncodeToString(b)))
}

// blockLen is how many plain bytes are encoded at a time: a multiple of three, so that only the last block is padded.
const blockLen = 48 << 10

// writeBase64 streams the Base64 of r. It writes whole blocks, which the standard library's encoder, at a
// kilobyte a time, does not: a fake that is slower than its client measures nothing.
func writeBase64(w io.Writer, r io.Reader) error {
	plain := make([]byte, blockLen)
	var text []byte
	for {
		n, err := io.ReadFull(r, plain)
		text = base64.StdEncoding.AppendEncode(text[:0], plain[:n])
		if _, werr := w.Write(text); werr != nil {
			return werr
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return fmt.Errorf("read medium: %w", err)
		}
	}
}
