package orderlist_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/orderlist"
)

func orders(s ...string) []archive.Order {
	all := make([]archive.Order, len(s))
	for i, o := range s {
		all[i] = archive.Order(o)
	}
	return all
}

// TestRead reads what people and their programs export.
func TestRead(t *testing.T) {
	for name, test := range map[string]struct {
		text   string
		column string
		want   []archive.Order
		bad    []int
		again  int
	}{
		"a plain list":                {text: "a1\nb2\nc3\n", want: orders("a1", "b2", "c3")},
		"no line break at the end":    {text: "a1\nb2", want: orders("a1", "b2")},
		"CRLF, blanks and comments":   {text: "# from the ledger\r\n\r\n a1 \r\n\tb2\r\n  \r\n#c3\r\nd4\r\n", want: orders("a1", "b2", "d4")},
		"a byte order mark":           {text: "\ufefforder_no\na1\n", want: orders("a1")},
		"a mark and quotes":           {text: "\ufeff\"orderNo\",\"time\"\r\n\"a1\",\"x\"\r\n", want: orders("a1")},
		"a list with a heading":       {text: "Order No.\na1\n", want: orders("a1")},
		"an order like a heading":     {text: "orderNo0001\norderNo0002\n", want: orders("orderNo0001", "orderNo0002")},
		"one order, no heading":       {text: "orderNo0001", want: orders("orderNo0001")},
		"Chinese heading":             {text: "姓名,订单号\n张三,a1\n李四,b2\n", want: orders("a1", "b2")},
		"Chinese heading in GBK":      {text: "\xd0\xd5\xc3\xfb,\xb6\xa9\xb5\xa5\xba\xc5\n\xd5\xc5\xc8\xfd,a1\n", want: orders("a1")},
		"semicolons":                  {text: "time;order\n2026;a1\n", want: orders("a1")},
		"tabs":                        {text: "time\torder\n2026\ta1\n", want: orders("a1")},
		"a separator in quotes first": {text: "\"a;b\",order\n1,a1\n", want: orders("a1")},
		"line breaks in other fields": {text: "note,order\n\"two\nlines\",a1\nx,b-2\n", want: orders("a1"), bad: []int{4}},
		"doubled quotes":              {text: "note,order\n\"say \"\"a\"\"\",a1\n", want: orders("a1")},
		"column by name":              {text: "order,biz\na1,b1\n", column: "biz", want: orders("b1")},
		"column by name, folded":      {text: "order,Biz No\na1,b1\n", column: "biz_no", want: orders("b1")},
		"column by exact name":        {text: "BIZ,biz\na1,b1\n", column: "biz", want: orders("b1")},
		"column by number":            {text: "x y,a1\nz,b2\n", column: "2", want: orders("a1", "b2")},
		"a name that is a number":     {text: "1,2\na1,b1\n", column: "1", want: orders("a1")},
		"repeated":                    {text: "a1\nb2\na1\na1\n", want: orders("a1", "b2"), again: 2},
		"bad ones among good ones":    {text: "a1\n1.2E+17\nb2\n\n订单\n" + strings.Repeat("x", 33) + "\na/b\n", want: orders("a1", "b2"), bad: []int{2, 5, 6, 7}},
		"only bad ones":               {text: "a b\n", bad: []int{1}},
		"too few columns":             {text: "time,order\n2026,a1\n2026\n2026,\n,,,\n", want: orders("a1"), bad: []int{3, 4}},
		"more columns than headings":  {text: "order,x\na1,1,2,3\n", want: orders("a1")},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := orderlist.Read(strings.NewReader(test.text), orderlist.Options{Column: test.column})
			if err != nil {
				t.Fatal(err)
			}
			var bad []int
			for _, b := range got.Bad {
				bad = append(bad, b.Line)
			}
			if diff := cmp.Diff(test.want, got.Orders); diff != "" {
				t.Errorf("orders (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.bad, bad); diff != "" {
				t.Errorf("bad lines (-want +got):\n%s", diff)
			}
			if got.Repeated != test.again {
				t.Errorf("%d repeated, want %d", got.Repeated, test.again)
			}
		})
	}
}

// TestReadRefuses: what could be read in two ways is not read at all.
func TestReadRefuses(t *testing.T) {
	for name, test := range map[string]struct{ text, column, want string }{
		"empty":                     {text: "", want: "no order number in it"},
		"comments alone":            {text: "# a1\n\n", want: "no order number in it"},
		"a heading alone":           {text: "orderNo\n", want: "no order number in it"},
		"columns without a heading": {text: "2026,a1\n", want: "choose one by name"},
		"two such columns":          {text: "order,order_no\na1,b1\n", want: "columns 1 and 2"},
		"no such column":            {text: "order,x\na1,1\n", column: "y", want: "no column has the chosen name, and there are 2"},
		"no such number":            {text: "a1,1\n", column: "3", want: "no column"},
		"two of the chosen name":    {text: "x,x\na1,1\n", column: "x", want: "several columns"},
		"a quote without end":       {text: "order,x\na1,\"1\nb2,2\nc3,3\n", want: "line 2: "},
		"a quote within a field":    {text: "a1\nb\"2\nc3\n", want: "line 2: bare"},
		"UTF-16":                    {text: "\xff\xfea\x001\x00\n\x00", want: "CSV UTF-8"},
		"a spreadsheet":             {text: "PK\x03\x04\x00\x00", want: "CSV UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := orderlist.Read(strings.NewReader(test.text), orderlist.Options{Column: test.column})
			if !errors.Is(err, orderlist.ErrList) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one about %q", err, test.want)
			}
			if len(got.Orders) > 0 {
				t.Error("orders in spite of it")
			}
		})
	}
}

// TestBadRepeatsNothing: a line may hold a name or a number of a person.
func TestBadRepeatsNothing(t *testing.T) {
	got, err := orderlist.Read(strings.NewReader("a1\nZhang-San\n"), orderlist.Options{})
	if err != nil || len(got.Bad) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if text := got.Bad[0].Error(); !strings.HasPrefix(text, "line 2: ") || strings.Contains(text, "Zhang") {
		t.Errorf("told %q", text)
	}
}

func TestReadFails(t *testing.T) {
	broken := errors.New("disk on fire")
	for name, r := range map[string]io.Reader{
		"at once": iotest.ErrReader(broken),
		"later":   io.MultiReader(strings.NewReader(strings.Repeat("a1\n", 50_000)), iotest.ErrReader(broken)),
	} {
		if _, err := orderlist.Read(r, orderlist.Options{}); !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// endless is a quote that never ends.
type endless struct{ begun bool }

func (e *endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = '\n'
	}
	if !e.begun {
		b[0], e.begun = '"', true
	}
	return len(b), nil
}

// TestReadIsBounded: a list without end is refused, not read into memory.
func TestReadIsBounded(t *testing.T) {
	for name, r := range map[string]io.Reader{
		"a quote without end": &endless{},
		"too many lines":      strings.NewReader(strings.Repeat("a1\n", 1<<20)),
	} {
		_, err := orderlist.Read(r, orderlist.Options{MaxBytes: 1 << 20})
		if !errors.Is(err, orderlist.ErrList) || !strings.Contains(err.Error(), "more than 1 MiB") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzCSV reads anything. What comes out is order numbers, each once, and reads back the same from a plain list.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{
		"a1\nb2\n", "\ufeff\"orderNo\",x\r\n\"a1\",\"1\n2\"\r\n", "time;订单号\n1;a1\n", "# c\n\norder\n\ta1\n", "a\tb\n1\t2\n",
		"x,\"\n", "\xff\xfe", "order,order\n", "1,2\n3,4\n", "\"a\"\"b\"\n", "a1\r\r\nb\rc\n", "#\n", ",,,\n,a1\n",
	} {
		f.Add(seed, "")
		f.Add(seed, "2")
	}
	f.Fuzz(func(t *testing.T, text, column string) {
		got, err := orderlist.Read(strings.NewReader(text), orderlist.Options{Column: column})
		if err != nil {
			if !errors.Is(err, orderlist.ErrList) || len(got.Orders) > 0 {
				t.Fatalf("%d orders, %v", len(got.Orders), err)
			}
			return
		}
		plain := "order\n"
		seen := make(map[archive.Order]bool)
		for _, o := range got.Orders {
			if _, err := archive.ParseOrder(string(o)); err != nil || seen[o] {
				t.Fatalf("order %q: %v, seen %v", o, err, seen[o])
			}
			seen[o] = true
			plain += string(o) + "\n"
		}
		lines := strings.Count(text, "\n") + 1
		for i, b := range got.Bad {
			if b.Line < 1 || b.Line > lines || i > 0 && b.Line <= got.Bad[i-1].Line {
				t.Fatalf("bad lines %v", got.Bad)
			}
		}
		if len(got.Orders) == 0 {
			return
		}
		again, err := orderlist.Read(strings.NewReader(plain), orderlist.Options{})
		if err != nil || !cmp.Equal(got.Orders, again.Orders) {
			t.Fatalf("read back %v, %v", again.Orders, err)
		}
	})
}
