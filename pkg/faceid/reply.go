package faceid

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// maxFields is how many fields of a verdict are kept; the service's have about ten.
const maxFields = 100

var (
	errNoCode   = errors.New("reply has no code")
	errCode     = errors.New("reply has a code that is none")
	errTwoCodes = errors.New("reply has two different codes")
)

// wireReply is what a whole, well-formed body said, before anything is concluded from it.
type wireReply struct {
	code   string
	msg    string
	fields map[string]any // of the verdict; nil where there are none
	alien  bool           // an echo of another order number or app id
}

// replyReader reads a reply of either dialect: its fields may be nested in "result", flat, or both (PROTOCOL section 4).
type replyReader struct {
	parser
	appID  string
	order  archive.Order
	sink   kyc.Sink
	reply  wireReply
	nested map[string]any
	flat   map[string]any
}

// readReply reads body to its end. Media go to sink meanwhile; they count only if there is no error.
func readReply(body io.Reader, appID string, order archive.Order, sink kyc.Sink) (wireReply, error) {
	r := &replyReader{parser: parser{in: newInput(body)}, appID: appID, order: order, sink: sink}
	if err := r.document(r.topField); err != nil {
		return wireReply{}, err
	}
	if r.reply.code == "" {
		return wireReply{}, errNoCode
	}
	r.reply.fields = merge(r.nested, r.flat)
	return r.reply, nil
}

// merge puts flat fields beside nested ones; where both have one, the nested is the verdict's.
func merge(nested, flat map[string]any) map[string]any {
	if nested == nil {
		return flat
	}
	for k, v := range flat {
		if _, both := nested[k]; !both && len(nested) < maxFields {
			nested[k] = v
		}
	}
	return nested
}

func (r *replyReader) topField(key []byte) error {
	switch string(key) {
	case "result":
		return r.result()
	case "code":
		return r.code()
	case "msg":
		v, err := r.read(1)
		r.reply.msg, _ = v.(string)
		return err
	}
	return r.field(key, 1, &r.flat)
}

// result reads the nested fields. Anything but an object says nothing.
func (r *replyReader) result() error {
	c, err := r.token()
	if err != nil {
		return err
	}
	if c != '{' {
		return r.drop(c, 1)
	}
	return r.members(2, func(key []byte) error { return r.field(key, 2, &r.nested) })
}

// read reads a value at the given depth.
func (r *replyReader) read(depth int) (any, error) {
	c, err := r.token()
	if err != nil {
		return nil, err
	}
	return r.value(c, depth)
}

// field reads one field of the verdict, and keeps it in the map if it is one to keep.
func (r *replyReader) field(key []byte, depth int, keep *map[string]any) error {
	switch string(key) {
	case "photo":
		return r.medium(archive.Photo, r.sink)
	case "video":
		return r.medium(archive.Video, r.sink)
	case "orderNo", "order_no":
		return r.echo(depth, string(r.order))
	case "appId", "app_id":
		return r.echo(depth, r.appID)
	}
	name := string(key)
	v, err := r.read(depth)
	if err != nil || v == nil || !kept(name) {
		return err
	}
	if *keep == nil {
		*keep = make(map[string]any)
	}
	if _, again := (*keep)[name]; again || len(*keep) < maxFields {
		(*keep)[name] = v
	}
	return nil
}

// kept tells whether a field is of the verdict: not of the call, and not different from query to query. "success" means
// nothing (PROTOCOL section 4). A name that was too long to read is empty here.
func kept(name string) bool {
	switch name {
	case "", "code", "msg", "success", "bizSeqNo", "transactionTime":
		return false
	}
	return true
}

// echo compares what the service repeats with what was asked. Absent, null and empty are tolerated; a number is compared
// as it is written, and a text that is too long to read is another one.
func (r *replyReader) echo(depth int, want string) error {
	c, err := r.token()
	if err != nil {
		return err
	}
	v, err := r.value(c, depth)
	if err != nil {
		return err
	}
	switch got := v.(type) {
	case string:
		r.reply.alien = r.reply.alien || got != "" && got != want
	case json.Number:
		r.reply.alien = r.reply.alien || got.String() != want
	case nil:
		r.reply.alien = r.reply.alien || c == '"'
	}
	return nil
}

// code reads the reply's code, a string or a number. Null and empty are as absent.
func (r *replyReader) code() error {
	c, err := r.token()
	if err != nil {
		return err
	}
	v, err := r.value(c, 1)
	if err != nil {
		return err
	}
	var code string
	switch v := v.(type) {
	case string:
		code = v
	case json.Number:
		code = v.String()
	case nil:
		if c == 'n' {
			return nil
		}
		return errCode
	default:
		return errCode
	}
	if code == "" {
		return nil
	}
	if err := checkCode(code); err != nil {
		return err
	}
	if r.reply.code != "" && r.reply.code != code {
		return errTwoCodes
	}
	r.reply.code = code
	return nil
}

// maxCode is the longest code, in bytes. The service's have at most 8; a signature or a ticket would not fit, so a code can
// be shown.
const maxCode = 32

func checkCode(code string) error {
	if len(code) > maxCode {
		return fmt.Errorf("%w: it is too long", errCode)
	}
	for i := range len(code) {
		c := code[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_' && c != '.' && c != '+' {
			return errCode
		}
	}
	return nil
}
