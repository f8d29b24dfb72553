package faceidtest

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// renderer writes JSON into a body, so that a large medium is a part of it and never in memory.
type renderer struct {
	out    *body
	spaced bool // white space wherever JSON allows it
}

func (r renderer) value(v any) {
	switch v := v.(type) {
	case object:
		r.list('{', '}', len(v), func(i int) {
			r.value(v[i].key)
			r.raw(":")
			r.value(v[i].value)
		})
	case []any:
		r.list('[', ']', len(v), func(i int) { r.value(v[i]) })
	case Medium:
		r.blank()
		r.out.literal(`"`)
		r.out.medium(v)
		r.out.literal(`"`)
	case rawString:
		r.raw(`"` + string(v) + `"`)
	default:
		r.raw(scalar(v))
	}
}

// rawString is the inside of a JSON string, escaped already.
type rawString string

func (r renderer) list(open, shut byte, n int, item func(int)) {
	r.raw(string(open))
	for i := range n {
		if i > 0 {
			r.raw(",")
		}
		item(i)
	}
	r.raw(string(shut))
}

func (r renderer) raw(s string) {
	r.blank()
	r.out.literal(s)
}

func (r renderer) blank() {
	if r.spaced {
		r.out.literal(" \r\n\t")
	}
}

// scalar writes a string, number, bool or nil, leaving <, > and & as they are, as the service does.
func scalar(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("faceidtest: cannot write %T as JSON", v)) // only a mistake in this package can do that
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}
