package main

import (
	"testing"
	"time"
)

func TestColumnsLineUp(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, want string }{
		{"ok", "ok        end"},
		{"人脸核身", "人脸核身  end"},
		{"照片a", "照片a     end"},
		{"ｆｕｌｌ", "ｆｕｌｌ  end"},
		{"한국", "한국      end"},
		{"e\u0301te\u0301", "e\u0301te\u0301       end"},
		{"longer than that", "longer than that  end"},
		{"a\nb\x1b[2J", `a\nb\x1b[2J  end`},
	} {
		if got := columns(column{text: test.text, width: 8}, column{text: "end"}); got != test.want {
			t.Errorf("%q becomes %q, want %q", test.text, got, test.want)
		}
	}
	if got := columns(column{text: "7", width: 3, right: true}, column{text: "", width: 9}); got != "  7" {
		t.Errorf("a number and an empty end become %q", got)
	}
}

func TestRoughly(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0s", 1500 * time.Millisecond: "1.5s", 90 * time.Second: "1m30s", time.Hour: "1h0m", 125*time.Minute + time.Second: "2h5m",
		76*time.Hour + time.Minute: "3d4h", -time.Minute: "1m0s",
	} {
		if got := roughly(d); got != want {
			t.Errorf("%d is %q, want %q", d, got, want)
		}
	}
}

func TestBytesText(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 66293: "66.3 kB", 5_000_000_000: "5.0 GB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}
