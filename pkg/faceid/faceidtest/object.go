package faceidtest

import (
	"encoding/json"
	"slices"
)

// object is a JSON object whose members keep their order, since the order is one of the things a client must not mind.
type object []member

type member struct {
	key   string
	value any // string, json.Number, bool, nil, object, []any, rawString or Medium (Base64)
}

func (o object) get(key string) any {
	if i := o.index(key); i >= 0 {
		return o[i].value
	}
	return nil
}

func (o object) set(key string, v any) {
	if i := o.index(key); i >= 0 {
		o[i].value = v
	}
}

// numeric turns strings into numbers.
func (o object) numeric(keys ...string) {
	for _, key := range keys {
		if text, ok := o.get(key).(string); ok {
			o.set(key, json.Number(text))
		}
	}
}

func (o object) index(key string) int {
	return slices.IndexFunc(o, func(m member) bool { return m.key == key })
}

// first moves a member to the front.
func (o object) first(key string) object {
	i := o.index(key)
	if i < 0 {
		return o
	}
	return slices.Concat(object{o[i]}, o[:i], o[i+1:])
}

// flatten lifts the fields of the result to the top, where the top has none of that name.
func (o object) flatten() object {
	i := o.index("result")
	result, _ := o[i].value.(object)
	flat := slices.Concat(o[:i], o[i+1:])
	for _, m := range result {
		if flat.index(m.key) < 0 {
			flat = append(flat, m)
		}
	}
	return flat
}
