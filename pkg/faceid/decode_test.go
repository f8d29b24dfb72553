package faceid

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
)

const (
	testApp   = "IDAXXXXX"
	testOrder = "orderNo19959248596551"
)

// collected is a sink that keeps each medium of each kind.
type collected map[archive.Kind][]*bytes.Buffer

func (c collected) sink(kind archive.Kind) (io.Writer, error) {
	b := new(bytes.Buffer)
	c[kind] = append(c[kind], b)
	return b, nil
}

// texts is what was collected, comparable.
func (c collected) texts() map[archive.Kind][]string {
	out := map[archive.Kind][]string{}
	for kind, buffers := range c {
		for _, b := range buffers {
			out[kind] = append(out[kind], b.String())
		}
	}
	return out
}

// decoded is the whole outcome of reading one reply.
type decoded struct {
	Code, Msg string
	Fields    map[string]any
	Alien     bool
	Media     map[archive.Kind][]string
}

func decode(r io.Reader) (decoded, error) {
	media := collected{}
	w, err := readReply(r, testApp, testOrder, media.sink)
	return decoded{Code: w.code, Msg: w.msg, Fields: w.fields, Alien: w.alien, Media: media.texts()}, err
}

type media = map[archive.Kind][]string
type fields = map[string]any

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// accepted are the quirks of PROTOCOL section 4 that must be taken.
var accepted = []struct {
	name, body string
	want       decoded
}{
	{"nested, as documented",
		`{"code":"0","msg":"请求成功","bizSeqNo":"18081020001015300215034200859792","result":{"bizSeqNo":"1","transactionTime":"20180810150342","orderNo":"orderNo19959248596551","idNo":"4","idType":"01","name":"张三","video":"` + b64("video") + `","photo":"` + b64("photo!") + `","liveRate":"100","similarity":"95.0","occurredTime":"20180810150152","success":false},"transactionTime":"20180810150342","app_id":"IDAXXXXX","order_no":"orderNo19959248596551"}`,
		decoded{Code: "0", Msg: "请求成功",
			Fields: fields{"idNo": "4", "idType": "01", "name": "张三", "liveRate": "100", "similarity": "95.0", "occurredTime": "20180810150152"},
			Media:  media{"video": {"video"}, "photo": {"photo!"}}}},
	{"flat", `{"code":"0","video":"` + b64("v") + `","photo":"` + b64("pp") + `","liveRate":"99","order_no":"orderNo19959248596551","app_id":"IDAXXXXX","success":true}`,
		decoded{Code: "0", Fields: fields{"liveRate": "99"}, Media: media{"video": {"v"}, "photo": {"pp"}}}},
	{"video before everything", `{"result":{"video":"` + b64("vvv") + `"},"code":"0"}`,
		decoded{Code: "0", Media: media{"video": {"vvv"}}}},
	{"flat and nested: nested wins", `{"liveRate":"1","sdk":"x","result":{"liveRate":"2"},"code":"0"}`,
		decoded{Code: "0", Fields: fields{"liveRate": "2", "sdk": "x"}}},
	{"recorded error", `{"code":"400101","msg":" 不合法的请求:… ","transactionTime":"20170309171146","success":false}`,
		decoded{Code: "400101", Msg: " 不合法的请求:… "}},
	{"result null", `{"code":"0","result":null}`, decoded{Code: "0"}},
	{"result empty", `{"code":"0","result":{}}`, decoded{Code: "0"}},
	{"result a string", `{"code":"0","result":""}`, decoded{Code: "0"}},
	{"code a number", `{"code":0}`, decoded{Code: "0"}},
	{"code a negative number", `{"code":-5008}`, decoded{Code: "-5008"}},
	{"code twice, the same", `{"code":"0","code":0}`, decoded{Code: "0"}},
	{"code nested is not the reply's", `{"code":"0","result":{"code":"5","msg":"m"}}`, decoded{Code: "0"}},
	{"scalars of every type", `{"code":"0","result":{"liveRate":99.5,"similarity":"88.01","flag":true,"off":false,"nothing":null}}`,
		decoded{Code: "0", Fields: fields{"liveRate": json.Number("99.5"), "similarity": "88.01", "flag": true, "off": false}}},
	{"unknown fields of every kind", `{"a":[1,-2.5e+7,{"b":[[],{}]},"x",null,true,false],"code":"0","o":{"p":{"q":"\u00e9"}},"result":{"l":[{"video":"!"}]}}`,
		decoded{Code: "0"}},
	{"media null and empty", `{"code":"0","result":{"video":null,"photo":""}}`, decoded{Code: "0"}},
	{"media of white space alone", `{"code":"0","photo":" \n\t\r\u0020   ","video":"data:video/mp4;base64,        "}`, decoded{Code: "0"}},
	{"white space anywhere", "\r\n\t { \"code\" : \"0\" , \"video\" : \"" + b64("v") + "\" } \n\n", decoded{Code: "0", Media: media{"video": {"v"}}}},
	{"slash escaped", `{"code":"0","photo":"` + strings.ReplaceAll(b64("\xff\xff\xff???>>>"), "/", `\/`) + `"}`,
		decoded{Code: "0", Media: media{"photo": {"\xff\xff\xff???>>>"}}}},
	{"plus as code point", `{"code":"0","photo":"\u002b\u002B\u002b\u002b"}`, decoded{Code: "0", Media: media{"photo": {"\xfb\xef\xbe"}}}},
	{"line breaks as escapes", `{"code":"0","photo":"QUJD\r\nREVG\nR0hJ\n"}`, decoded{Code: "0", Media: media{"photo": {"ABCDEFGHI"}}}},
	{"raw white space", "{\"code\":\"0\",\"photo\":\" Q UJD\r\nREVG\tR0\nhJSg= = \"}", decoded{Code: "0", Media: media{"photo": {"ABCDEFGHIJ"}}}},
	{"padding escaped", `{"code":"0","photo":"QQ\u003d\u003d"}`, decoded{Code: "0", Media: media{"photo": {"A"}}}},
	{"data URL", `{"code":"0","photo":"data:image/jpeg;base64,QUJD"}`, decoded{Code: "0", Media: media{"photo": {"ABC"}}}},
	{"data URL with escapes", `{"code":"0","photo":"\u0064ata:image\/jpeg;charset=x;BASE64\u002cQ\u0055JD"}`, decoded{Code: "0", Media: media{"photo": {"ABC"}}}},
	{"data URL, empty", `{"code":"0","photo":"data:image/jpeg;base64,"}`, decoded{Code: "0"}},
	{"Base64 that begins as a data URL does", `{"code":"0","photo":"data"}`, decoded{Code: "0", Media: media{"photo": {"\x75\xab\x5a"}}}},
	{"one character then padding", `{"code":"0","photo":"QQ=="}`, decoded{Code: "0", Media: media{"photo": {"A"}}}},
	{"escaped keys", `{"\u0063ode":"0","\u0076ideo":"` + b64("v") + `","re\u0073ult":{"phot\u006F":"` + b64("p") + `"}}`,
		decoded{Code: "0", Media: media{"video": {"v"}, "photo": {"p"}}}},
	{"a medium twice", `{"code":"0","photo":"QUJD","result":{"photo":"REVG"}}`, decoded{Code: "0", Media: media{"photo": {"ABC", "DEF"}}}},
	{"verdict with media", `{"code":"66660004","result":{"photo":"QUJD"}}`, decoded{Code: "66660004", Media: media{"photo": {"ABC"}}}},
	{"strings with every escape", `{"code":"0","x":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\ud83dx\udc00"}`,
		decoded{Code: "0", Fields: fields{"x": "\"\\/\b\f\n\r\té😀\ufffdx\ufffd"}}},
	{"not UTF-8", "{\"code\":\"0\",\"x\":\"a\xff\xfeb\"}", decoded{Code: "0", Fields: fields{"x": "a\ufffd\ufffdb"}}},
	{"a long scalar is dropped", `{"code":"0","x":"` + strings.Repeat("x", maxString+1) + `","y":"` + strings.Repeat("y", maxString) + `"}`,
		decoded{Code: "0", Fields: fields{"y": strings.Repeat("y", maxString)}}},
	{"a long key is dropped", `{"code":"0","` + strings.Repeat("k", maxKey+1) + `":"x"}`, decoded{Code: "0"}},
	{"foreign order, camel", `{"code":"0","result":{"orderNo":"another"}}`, decoded{Code: "0", Alien: true}},
	{"foreign order, snake, flat", `{"code":"0","order_no":"another"}`, decoded{Code: "0", Alien: true}},
	{"foreign order, a number", `{"code":"0","order_no":17}`, decoded{Code: "0", Alien: true}},
	{"foreign order, too long to keep", `{"code":"0","order_no":"` + strings.Repeat("x", maxString+1) + `"}`, decoded{Code: "0", Alien: true}},
	{"foreign app", `{"code":"0","appId":"IDAYYYYY"}`, decoded{Code: "0", Alien: true}},
	{"foreign app, snake, nested", `{"code":"0","result":{"app_id":"idaxxxxx"}}`, decoded{Code: "0", Alien: true}},
	{"foreign, then right", `{"code":"0","orderNo":"another","order_no":"orderNo19959248596551"}`, decoded{Code: "0", Alien: true}},
	{"empty and null echoes", `{"code":"0","orderNo":"","order_no":null,"appId":"","result":{"app_id":null}}`, decoded{Code: "0"}},
}

// refused are bodies that are no whole reply.
var refused = []struct{ name, body string }{
	{"empty", ``},
	{"white space", " \r\n"},
	{"a page", `<html><body>502 Bad Gateway</body></html>`},
	{"an array", `[{"code":"0"}]`},
	{"a string", `"code"`},
	{"null", `null`},
	{"no code", `{"result":{"photo":"QUJD"}}`},
	{"code null", `{"code":null}`},
	{"code empty", `{"code":""}`},
	{"code true", `{"code":true}`},
	{"code an object", `{"code":{}}`},
	{"code too long", `{"code":"` + strings.Repeat("1", maxCode+1) + `"}`},
	{"code far too long", `{"code":"` + strings.Repeat("1", maxString+1) + `"}`},
	{"code not of letters and digits", `{"code":"0<br>"}`},
	{"two codes", `{"code":"0","code":"66660004"}`},
	{"second document", `{"code":"0"}{"code":"0"}`},
	{"tail", `{"code":"0"} x`},
	{"tail of a zero byte", "{\"code\":\"0\"}\x00"},
	{"comma at the end", `{"code":"0",}`},
	{"comma in an empty object", `{,}`},
	{"no colon", `{"code" "0"}`},
	{"no comma", `{"code":"0" "a":1}`},
	{"key without quotes", `{code:"0"}`},
	{"bad literal", `{"code":"0","a":nul}`},
	{"bad literal of a medium", `{"code":"0","photo":nope}`},
	{"bad number", `{"code":"0","a":01}`},
	{"lone minus", `{"code":"0","a":-}`},
	{"endless number", `{"code":"0","a":` + strings.Repeat("1", maxNumber+1) + `}`},
	{"bare word", `{"code":"0","a":x}`},
	{"comma at an array's end", `{"code":"0","a":[1,]}`},
	{"colon in an array", `{"code":"0","a":[1:2]}`},
	{"bad escape", `{"code":"0","a":"\x"}`},
	{"bad code point", `{"code":"0","a":"\u12g4"}`},
	{"raw control character", "{\"code\":\"0\",\"a\":\"\x01\"}"},
	{"too deep", `{"code":"0","a":` + strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth) + `}`},
	{"too deep, objects", `{"code":"0","a":` + strings.Repeat(`{"a":`, maxDepth) + "1" + strings.Repeat("}", maxDepth) + `}`},
	{"medium a number", `{"code":"0","photo":1}`},
	{"medium an object", `{"code":"0","photo":{}}`},
	{"mid-quantum, one", `{"code":"0","photo":"QUJDR"}`},
	{"mid-quantum, two", `{"code":"0","photo":"QUJDRE"}`},
	{"mid-quantum, three", `{"code":"0","photo":"QUJDREV"}`},
	{"mid-quantum, at once", `{"code":"0","photo":"QQ"}`},
	{"half padded", `{"code":"0","photo":"QQ="}`},
	{"padding alone", `{"code":"0","photo":"===="}`},
	{"padding too early", `{"code":"0","photo":"Q==="}`},
	{"padding in the middle", `{"code":"0","photo":"QQ==QUJD"}`},
	{"padding in the middle of much", `{"code":"0","photo":"` + strings.Repeat("QUJD", 40) + "QQ==" + strings.Repeat("QUJD", 40) + `"}`},
	{"padding inside a quantum", `{"code":"0","photo":"QUJDQQ=Q"}`},
	{"more padding", `{"code":"0","photo":"QQ==="}`},
	{"junk", `{"code":"0","photo":"QUJDQU*D"}`},
	{"junk in the middle of much", `{"code":"0","photo":"` + strings.Repeat("QUJD", 40) + "Q.JD" + strings.Repeat("QUJD", 40) + `"}`},
	{"URL alphabet", `{"code":"0","photo":"__--"}`},
	{"quote escaped", `{"code":"0","photo":"QUJD\"QUJ"}`},
	{"wide code point", `{"code":"0","photo":"QUJ\u0144"}`},
	{"bad escape in a medium", `{"code":"0","photo":"QUJ\qA"}`},
	{"data URL of text", `{"code":"0","photo":"data:text/plain,QUJD"}`},
	{"data URL without end", `{"code":"0","photo":"data:"}`},
	{"data URL with a long head", `{"code":"0","photo":"data:` + strings.Repeat("x", maxPrefix) + `;base64,QUJD"}`},
}

func TestAccepted(t *testing.T) {
	for _, c := range accepted {
		t.Run(c.name, func(t *testing.T) {
			if c.want.Media == nil {
				c.want.Media = media{}
			}
			for how, r := range map[string]io.Reader{
				"whole":     strings.NewReader(c.body),
				"bytewise":  iotest.OneByteReader(strings.NewReader(c.body)),
				"halves":    iotest.HalfReader(strings.NewReader(c.body)),
				"early EOF": iotest.DataErrReader(strings.NewReader(c.body)),
			} {
				got, err := decode(r)
				if err != nil {
					t.Fatalf("%s: %v", how, err)
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", how, diff)
				}
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for _, c := range refused {
		t.Run(c.name, func(t *testing.T) {
			for how, r := range map[string]io.Reader{
				"whole":    strings.NewReader(c.body),
				"bytewise": iotest.OneByteReader(strings.NewReader(c.body)),
			} {
				if got, err := decode(r); err == nil {
					t.Errorf("%s: taken as %+v", how, got)
				}
			}
		})
	}
}

// TestTorn cuts and splits every accepted reply everywhere: cut, it is an error; split, it is the same reply.
func TestTorn(t *testing.T) {
	for _, c := range accepted {
		body := strings.TrimRight(c.body, " \r\n")
		if len(body) > maxString {
			continue
		}
		whole, err := decode(strings.NewReader(body))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		for at := range len(body) {
			if _, err := decode(strings.NewReader(body[:at])); err == nil {
				t.Errorf("%s: cut at %d, there is no error", c.name, at)
			}
			broken := errors.New("line broke")
			if _, err := decode(io.MultiReader(strings.NewReader(body[:at]), iotest.ErrReader(broken))); !errors.Is(err, broken) {
				t.Errorf("%s: broken at %d, the error is %v", c.name, at, err)
			}
			split, err := decode(io.MultiReader(strings.NewReader(body[:at]), strings.NewReader(body[at:])))
			if diff := cmp.Diff(whole, split); err != nil || diff != "" {
				t.Errorf("%s: split at %d: %v %s", c.name, at, err, diff)
			}
		}
	}
}

// TestBrokenAfterTheEnd is about a body whose JSON is whole, but whose reader then says that something was wrong.
func TestBrokenAfterTheEnd(t *testing.T) {
	broken := errors.New("checksum")
	_, err := decode(io.MultiReader(strings.NewReader(`{"code":"0"}`), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) {
		t.Errorf("error is %v", err)
	}
}

// TestRealMedia sends real files in every spelling of Base64, through windows that end anywhere.
func TestRealMedia(t *testing.T) {
	photo, video := readFile(t, "testdata/photo.jpg"), readFile(t, "testdata/video-small.mp4")
	spell := func(b []byte, each int, sep string) string {
		var out strings.Builder
		for text := base64.StdEncoding.EncodeToString(b); text != ""; {
			n := min(each, len(text))
			out.WriteString(text[:n] + sep)
			text = text[n:]
		}
		return out.String()
	}
	for _, c := range []struct {
		name string
		each int
		sep  string
	}{{"plain", 1 << 30, ""}, {"lines", 76, `\r\n`}, {"raw lines", 76, "\r\n"}, {"odd lines", 61, `\n`}} {
		t.Run(c.name, func(t *testing.T) {
			body := `{"result":{"video":"` + spell(video, c.each, c.sep) + `","photo":"data:image/jpeg;base64,` + strings.ReplaceAll(spell(photo, c.each, c.sep), "/", `\/`) + `"},"code":0}`
			for how, r := range map[string]io.Reader{"whole": strings.NewReader(body), "bytewise": iotest.OneByteReader(strings.NewReader(body))} {
				got, err := decode(r)
				if err != nil {
					t.Fatalf("%s: %v", how, err)
				}
				if len(got.Media["video"]) != 1 || got.Media["video"][0] != string(video) || len(got.Media["photo"]) != 1 || got.Media["photo"][0] != string(photo) {
					t.Errorf("%s: other bytes came out", how)
				}
			}
		})
	}
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestManyFields keeps no more than maxFields, however they are spread.
func TestManyFields(t *testing.T) {
	var flat, nested strings.Builder
	for i := range maxFields {
		flat.WriteString(`,"f` + string(rune('0'+i/10)) + string(rune('0'+i%10)) + `":1`)
		nested.WriteString(`,"n` + string(rune('0'+i/10)) + string(rune('0'+i%10)) + `":1`)
	}
	got, err := decode(strings.NewReader(`{"code":"0"` + flat.String() + `,"result":{"success":true` + nested.String() + `,"one":1,"more":1,"n00":2}}`))
	if err != nil || len(got.Fields) != maxFields || got.Fields["n00"] != json.Number("2") {
		t.Errorf("%d fields, %v", len(got.Fields), err)
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write(b []byte) (int, error) { return 0, w.err }

type shortWriter struct{}

func (shortWriter) Write(b []byte) (int, error) { return len(b) - 1, nil }

func TestSinkFails(t *testing.T) {
	full := errors.New("disk is full")
	big := strings.Repeat("QUJD", 1<<20)
	for _, c := range []struct {
		name string
		sink func(archive.Kind) (io.Writer, error)
		body string
		want error
	}{
		{"sink", func(archive.Kind) (io.Writer, error) { return nil, full }, `{"code":"0","photo":"QUJD"}`, full},
		{"writer", func(archive.Kind) (io.Writer, error) { return brokenWriter{full}, nil }, `{"code":"0","photo":"QUJD"}`, full},
		{"writer, in the middle", func(archive.Kind) (io.Writer, error) { return brokenWriter{full}, nil }, `{"code":"0","photo":"` + big + `"}`, full},
		{"short write", func(archive.Kind) (io.Writer, error) { return shortWriter{}, nil }, `{"code":"0","photo":"QUJD"}`, io.ErrShortWrite},
		{"writer, and the reply is torn", func(archive.Kind) (io.Writer, error) { return brokenWriter{full}, nil }, `{"code":"0","photo":"QUJDQUJD`, full},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readReply(strings.NewReader(c.body), testApp, testOrder, c.sink)
			if _, ok := errors.AsType[*SinkError](err); !ok || !errors.Is(err, c.want) {
				t.Errorf("error is %v", err)
			}
		})
	}
}

// TestConstantMemory reads a reply of many windows and counts what is allocated: the same as for a small one.
func TestConstantMemory(t *testing.T) {
	measure := func(n int) float64 {
		body := `{"code":"0","video":"` + strings.Repeat("QUJD", n) + `","x":"` + strings.Repeat("x", n) + `"}`
		return testing.AllocsPerRun(5, func() {
			if _, err := readReply(strings.NewReader(body), testApp, testOrder, discard); err != nil {
				t.Fatal(err)
			}
		})
	}
	small, large := measure(1<<18), measure(1<<22)
	if large > small+laneBuffers { // the lane may have needed fewer buffers for the small one
		t.Errorf("%v allocations for 1 MB, %v for 16 MB", small, large)
	}
}
