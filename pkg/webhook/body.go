package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/kycvault/kycvault/pkg/archive"
)

// checkMediaType takes application/json, alone or in UTF-8. A form is refused: a page of a stranger could send one without asking.
func checkMediaType(header http.Header) error {
	refused := refuse(badType, "The body must be application/json.", nil)
	values := header.Values("Content-Type")
	if len(values) != 1 || len(header.Values("Content-Encoding")) > 0 {
		return refused
	}
	mediaType, params, err := mime.ParseMediaType(values[0])
	if err != nil || mediaType != "application/json" {
		return refused
	}
	for name, value := range params {
		if name != "charset" || !strings.EqualFold(value, "utf-8") {
			return refused
		}
	}
	return nil
}

// readBody reads a body that the edge has limited to maxBody.
func readBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, refuse(badSize, "The body must not be larger than 16 KiB.", nil)
	}
	if err != nil {
		return nil, refuse(badBody, "The body could not be read to its end.", nil)
	}
	return body, nil
}

// parseBody reads the order number out of {"orderNo":"…"} or {"order_no":"…"}. Other members are not our concern. Where it
// is named more than once, all must be the same: another reader of the same bytes must not see another order.
func parseBody(body []byte) (archive.Order, error) {
	if !utf8.Valid(body) || !json.Valid(body) {
		return "", refuse(badBody, "The body must be exactly one JSON document in UTF-8.", nil)
	}
	names, err := orderNames(body)
	if err != nil {
		return "", err
	}
	if len(names) == 0 {
		return "", refuse(badBody, `The body must have "orderNo".`, nil)
	}
	for _, name := range names[1:] {
		if name != names[0] {
			return "", refuse(badBody, "The body names more than one order.", nil)
		}
	}
	return parseOrder(names[0])
}

// orderNames gives the values of all orderNo and order_no members of a valid document. It walks the members, since decoding
// to a struct takes keys in any case of letters, and the last of several.
func orderNames(body []byte) ([]string, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber() // other members may hold numbers that no float64 can
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil, refuse(badBody, "The body must be a JSON object.", nil)
	}
	var names []string
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, refuse(badBody, "The body must be a JSON object.", nil)
		}
		var value any
		if err := dec.Decode(&value); err != nil {
			return nil, refuse(badBody, "The body holds a value that can not be read.", nil)
		}
		if key != paramOrder && key != "order_no" {
			continue
		}
		name, ok := value.(string)
		if !ok {
			return nil, refuse(badBody, "The order number must be a JSON string.", nil)
		}
		names = append(names, name)
	}
	return names, nil
}

// parseOrder is the door for order numbers; the refusal names the rule and does not repeat the text.
func parseOrder(s string) (archive.Order, error) {
	order, err := archive.ParseOrder(s)
	if err != nil {
		return "", refuse(badOrder, "The order number is not one: "+err.Error()+".", nil)
	}
	return order, nil
}
