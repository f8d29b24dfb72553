package faceidtest

import (
	"math"
	"strconv"
	"strings"
)

// read reads what follows a case's word: its argument, or the number of queries that are hit.
func (c Case) read(rest string) (argument string, times int, ok bool) {
	if c.accepts != nil {
		argument, ok = c.accepts(rest)
		return argument, c.times, ok
	}
	digits, tail := leadingDigits(rest)
	if n, err := strconv.Atoi(digits); err == nil && strings.HasPrefix(tail, "x") {
		return "", n, true
	}
	return "", c.times, true
}

// acceptBig reads the <N> of big<N>mb….
func acceptBig(rest string) (string, bool) {
	digits, tail := leadingDigits(rest)
	n, err := strconv.Atoi(digits)
	return digits, err == nil && n >= 1 && n <= maxBigMiB && strings.HasPrefix(tail, "mb")
}

// acceptCode reads the code out of code<digits>x… and codem<digits>x….
func acceptCode(rest string) (string, bool) {
	digits, tail := leadingDigits(strings.TrimPrefix(rest, "m"))
	if digits == "" || !strings.HasPrefix(tail, "x") {
		return "", false
	}
	if strings.HasPrefix(rest, "m") {
		return "-" + digits, true
	}
	return digits, true
}

func leadingDigits(s string) (digits, rest string) {
	rest = strings.TrimLeft(s, "0123456789")
	return s[:len(s)-len(rest)], rest
}

// number is the argument as a number; a case that asks for it has accepted digits only.
func (p *plan) number() int {
	n, err := strconv.Atoi(p.argument)
	if err != nil {
		return math.MaxInt
	}
	return n
}

func own(p *plan) { p.photo, p.video = jpeg(markedJPEG(p.order)), mp4(markedMP4(p.order)) }

func noMedia(p *plan) { p.photo, p.video = Medium{}, Medium{} }

// changingTail makes the photo odd, each time another way.
func changingTail(p *plan) {
	if !p.photo.Empty() {
		p.photo = jpeg(withTail(photoJPEG, "tail "+strconv.Itoa(p.turn)))
	}
}

// refusal answers with an error code, as the service does when it does not even look at the order.
func refusal(code string) func(*plan) {
	return func(p *plan) { p.code, p.form = code, bare }
}

// cut ends the body early, each time at another place: after 1/3 and 2/3 where it happens twice.
func (p *plan) cut(then ending) {
	p.manner.keep = float64(p.turn+1) / float64(p.times+1)
	p.manner.chunked = then == endCleanly
	p.manner.then = then
}

// page answers with something that is not the protocol.
func (p *plan) page(status int, text string) {
	a := htmlAnswer(status, text)
	p.instead = &a
}
