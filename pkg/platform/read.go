package platform

import (
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kycvault/kycvault/pkg/agekey"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/secret"
)

// reader reads variables one by one and collects what is wrong with them.
type reader struct {
	lookup   Lookup
	needs    Needs
	mistakes []error
}

func (r *reader) mistake(name, problem, expected string) {
	r.mistakes = append(r.mistakes, &Mistake{Variable: name, Problem: problem, Expected: expected})
}

// set is a variable's value without the blanks around it.
func (r *reader) set(name string) string {
	v, _ := r.lookup(name)
	return strings.TrimSpace(v)
}

// value is a variable's value or its default.
func (r *reader) value(name string) string {
	if v := r.set(name); v != "" {
		return v
	}
	return defaultOf(name)
}

// require notes a variable that a need asks for and that is not set.
func (r *reader) require(need Needs, name string) {
	if r.needs&need == 0 || r.set(name) != "" {
		return
	}
	for _, v := range Variables() {
		if v.Name == name {
			r.mistake(name, "not set", v.What)
		}
	}
}

func (r *reader) appID(name string) string {
	v := r.value(name)
	if v != "" && (len(v) != 8 || strings.ContainsFunc(v, notAlphanumeric)) {
		r.mistake(name, "not an app id", "8 letters and digits") // PROTOCOL section 1
	}
	return v
}

func notAlphanumeric(c rune) bool {
	return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
}

// secret reads a value that becomes part of a URL or a header.
func (r *reader) secret(name string) secret.Text {
	v := r.value(name)
	if strings.ContainsFunc(v, notGraphic) {
		r.mistake(name, "holds a blank or a character outside ASCII", "printable ASCII without blanks")
	}
	return secret.New(v)
}

func notGraphic(c rune) bool { return c <= ' ' || c > '~' }

// word reads a name without blanks.
func (r *reader) word(name string) string {
	v := r.value(name)
	if strings.ContainsFunc(v, notGraphic) {
		r.mistake(name, "holds a blank or a character outside ASCII", "one name")
	}
	return v
}

// namespace reads a namespace of CloudWatch ("PutMetricData"; AWS/ is Amazon's own).
func (r *reader) namespace(name string) string {
	v := r.value(name)
	if !isNamespace(v) {
		r.mistake(name, "not a namespace", "up to 255 letters, digits and . - _ / #, which do not begin with AWS/")
	}
	return v
}

func (r *reader) oneOf(name string, choices ...string) string {
	v := r.value(name)
	if !slices.Contains(choices, v) {
		r.mistake(name, "not one of its values", strings.Join(choices, " or "))
	}
	return v
}

func (r *reader) media(name string) kyc.Media {
	media := map[string]kyc.Media{"photo": kyc.Photo, "video": kyc.Video}
	var all kyc.Media
	for _, item := range split(r.value(name)) {
		m, ok := media[item]
		if !ok {
			r.mistake(name, "names something else", "photo,video or one of them")
			return 0
		}
		all |= m
	}
	return all
}

// recipients reads the public keys that evidence is encrypted to.
func (r *reader) recipients(name string) agekey.Recipients {
	keys, err := agekey.ParseRecipients(r.value(name))
	r.note(name, err, "public keys of age (age1…, as age-keygen or kycvault keygen print them), comma-separated")
	return keys
}

// split cuts a comma-separated list and drops the blanks around its items; an empty text is an empty list.
func split(list string) []string {
	if list == "" {
		return nil
	}
	items := strings.Split(list, ",")
	for i, item := range items {
		items[i] = strings.TrimSpace(item)
	}
	return items
}

func (r *reader) number(name string, least, most int) int {
	n, err := strconv.Atoi(r.value(name))
	expected := fmt.Sprintf("a whole number from %d to %d", least, most)
	switch {
	case err != nil:
		r.mistake(name, "not a whole number", expected)
	case n < least || n > most:
		r.mistake(name, "out of range", expected)
	}
	return n
}

func (r *reader) duration(name string, least, most time.Duration) time.Duration {
	d, err := time.ParseDuration(r.value(name))
	expected := fmt.Sprintf("a duration from %s to %s, such as 90s, 5m or 1h30m", least, most)
	switch {
	case err != nil:
		r.mistake(name, "not a duration", expected)
	case d < least || d > most:
		r.mistake(name, "out of range", expected)
	}
	return d
}

func (r *reader) level(name string) slog.Level {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	return levels[r.oneOf(name, "debug", "info", "warn", "error")]
}
