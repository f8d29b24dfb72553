package faceidtest

import (
	"fmt"
	"strings"
)

// MarkdownTable is the list of test order numbers as the documents show it.
func MarkdownTable() string {
	var b strings.Builder
	b.WriteString("| order number | the service | kycvault |\n|---|---|---|\n")
	for _, c := range Cases() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", c.Pattern, c.Does, c.outcome())
	}
	return b.String()
}

// outcome is what kycvault makes of an order, in words.
func (c Case) outcome() string {
	var files []string
	if c.Photo != "" {
		files = append(files, "photo."+c.Photo)
	}
	if c.Video != "" {
		files = append(files, "video."+c.Video)
	}
	out := "`" + c.State + "`"
	if len(files) > 0 {
		out += " with " + strings.Join(files, ", ")
	}
	if c.Expect != "" {
		out += ": " + c.Expect
	}
	return out
}
