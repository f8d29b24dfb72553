package kyc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/kycvault/kycvault/pkg/archive"
)

// resultVersion is written into result files. Raise it when a reader would misunderstand the new ones, and add a vector to
// testdata: the same verdict has another digest then, so an order that is under way gets two result files.
const resultVersion = 1

// resultExt is the extension of a result file.
const resultExt = "json"

// resultFile is the verdict as evidence: result.<digest>.json. It holds nothing that differs from query to query, so that
// two steps write the same bytes.
type resultFile struct {
	Version int            `json:"version"`
	Order   archive.Order  `json:"orderNo"`
	AppID   string         `json:"appId"`
	Code    string         `json:"code"`
	Msg     string         `json:"msg,omitempty"`
	Result  map[string]any `json:"result"`
}

// identity are the personal fields, in folded spelling, that KYC_IDENTITY=omit leaves out.
var identity = map[string]bool{"name": true, "idno": true, "username": true, "idnumber": true}

// encodeResult makes the bytes of a result file from a reply.
func (s Settings) encodeResult(order archive.Order, r Reply) ([]byte, error) {
	fields := maps.Clone(r.Result)
	if fields == nil {
		fields = map[string]any{}
	}
	if !s.KeepIdentity {
		maps.DeleteFunc(fields, func(k string, _ any) bool {
			return identity[strings.ToLower(strings.ReplaceAll(k, "_", ""))]
		})
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(resultFile{Version: resultVersion, Order: order, AppID: s.AppID, Code: r.Code, Msg: r.Msg, Result: fields})
	if err != nil {
		return nil, fmt.Errorf("encode result of order %s: %w", order, err)
	}
	return buf.Bytes(), nil
}

// parseVerdict reads what the manifest repeats out of a result file.
func parseVerdict(data []byte) (archive.Verdict, error) {
	var f struct {
		Code   string `json:"code"`
		Result struct {
			Occurred any `json:"occurredTime"`
		} `json:"result"`
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(&f); err != nil {
		return archive.Verdict{}, fmt.Errorf("parse result: %w (%w)", archive.ErrDamaged, err)
	}
	v := archive.Verdict{Code: f.Code}
	switch o := f.Result.Occurred.(type) {
	case string:
		v.Occurred = o
	case json.Number:
		v.Occurred = o.String()
	}
	return v, nil
}
