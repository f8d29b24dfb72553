package faceidtest

import (
	"math"
	"net/http"
	"strings"
)

// Case is a kind of test order number: what the service does with such an order, and what kycvault is expected to
// make of it with its default settings once the order's deadline has passed.
type Case struct {
	Pattern string `json:"pattern"` // as the documents show it: "busy[N x]…"
	Example string `json:"example"` // an order number of this kind
	Does    string `json:"does"`    // what the service does
	Expect  string `json:"expect"`  // what kycvault is expected to do about it; "" where the state says it all
	State   string `json:"state"`   // the state that the order ends in (DESIGN section 3)
	Photo   string `json:"photo"`   // extension of the first photo that the archive ends up with: jpg, png, bin; "" is none
	Video   string `json:"video"`   // the same for the video: mp4, bin; "" is none

	prefix  string
	accepts func(rest string) (argument string, ok bool) // what follows the prefix; nil is anything
	hits    hits
	times   int // how many queries are hit, where the order number does not say
	behave  func(*plan)
}

// hits says which queries of an order a case changes, and counts.
type hits int

const (
	always        hits = iota // all of them, without counting: the case changes what the order is
	anyQuery                  // any, also before there is a result
	resultQueries             // those that there is a result for
	mediaQueries              // those whose reply has a medium
)

const forever = math.MaxInt

// The states that orders end in, as DESIGN section 3 names them.
const (
	archived    = "archived"
	partial     = "partial"
	unavailable = "unavailable"
	expired     = "expired"
)

type caseTable []Case

// Cases lists every kind of test order number. It is the one list: the service behaves by it, documents print it.
func Cases() []Case { return table() }

// table puts the groups together.
func table() caseTable {
	var all caseTable
	for _, group := range []caseTable{plainCases(), lateCases(), verdictCases(), shapeCases(), wireCases(), brokenCases(), codeCases(), oddCases(), foreignCases()} {
		all = append(all, group...)
	}
	for i := range all {
		all[i].complete()
	}
	return all
}

// complete fills in what follows from the rest.
func (c *Case) complete() {
	if c.Pattern == "" && c.hits == always {
		c.Pattern = c.prefix + "…"
	}
	if c.Pattern == "" {
		c.Pattern = c.prefix + "[Nx]…"
	}
	if c.Example == "" {
		c.Example = c.prefix + "1"
	}
	if c.State == archived && c.Photo == "" && c.Video == "" {
		c.Photo, c.Video = "jpg", "mp4"
	}
}

func plainCases() caseTable {
	return caseTable{
		{prefix: "ok", State: archived, behave: func(*plan) {},
			Does: "verified; the media come 1.5 s after the check. So does every order number that begins with no word of this list"},
		{prefix: "own", State: archived, behave: own,
			Does: "as ok, but photo and video hold the order number, so that no two orders have the same bytes", Expect: "no mix-up between orders"},
		{prefix: "big", Pattern: "big<N>mb…", Example: "big4mb1", accepts: acceptBig, State: archived, behave: func(p *plan) { p.video = bigVideo(p.order, p.number()) },
			Does: "a video of N MiB (1 to 2048), other bytes for each order", Expect: "memory does not grow with N"},
	}
}

func lateCases() caseTable {
	return caseTable{
		{prefix: "photolate", State: archived, behave: func(p *plan) { p.photoLate = true }, Does: "the photo comes 4 s after the video"},
		{prefix: "videolate", State: archived, behave: func(p *plan) { p.videoLate = true }, Does: "the video comes 4 s after the photo"},
		{prefix: "nullmedia", State: archived, behave: func(p *plan) { p.notYet = nil }, Does: "media that are not there yet are null, not empty"},
		{prefix: "novideo", State: partial, Photo: "jpg", behave: func(p *plan) { p.video = Medium{} }, Does: "verified, but the video never comes", Expect: "given up at the deadline"},
		{prefix: "nophoto", State: partial, Video: "mp4", behave: func(p *plan) { p.photo = Medium{} }, Does: "verified, but the photo never comes", Expect: "given up at the deadline"},
		{prefix: "nevermedia", State: partial, behave: noMedia, Does: "verified, but neither photo nor video ever comes", Expect: "the result alone, at the deadline"},
		{prefix: "walkaway", State: unavailable, behave: func(p *plan) { p.code, p.form = codeNoResult, bare }, Does: "66660011 for ever: the user left",
			Expect: "asked ever more seldom from 30 minutes on"},
	}
}

func verdictCases() caseTable {
	return caseTable{
		{prefix: "notsame", State: archived, behave: func(p *plan) { p.code = codeNotSame }, Does: "66660004, not the same person, with media", Expect: "what comes is kept, with the verdict"},
		{prefix: "nomedia", State: partial, behave: func(p *plan) { p.code = codeBadVideo; noMedia(p) }, Does: "66660016, bad video, a final verdict without media", Expect: "the result alone, an hour after it"},
		{prefix: "code", Pattern: "code[m]<digits>x…", Example: "code66660010x1", accepts: acceptCode, State: partial, behave: func(p *plan) { p.code, p.form = p.argument, bare },
			Does: "this code for ever, in the short form of an error, without result (codem5001x1 is -5001)", Expect: "by the code's class; the example is final"},
	}
}

func shapeCases() caseTable {
	return caseTable{
		{prefix: "flat", State: archived, behave: func(p *plan) { p.flat = true }, Does: "the fields of the result stand at the top, without `result`"},
		{prefix: "numbers", State: archived, behave: func(p *plan) { p.numbers = true }, Does: "code, liveRate and similarity are numbers"},
		{prefix: "videofirst", State: archived, behave: func(p *plan) { p.videoFirst = true }, Does: "the video comes before everything else"},
		{prefix: "escaped", State: archived, behave: func(p *plan) { p.encode = escaped }, Does: "JSON escapes inside Base64: `\\/`, `\\u002b`, `\\u003D`"},
		{prefix: "wrapped", State: archived, behave: func(p *plan) { p.encode = wrapped }, Does: "line breaks inside Base64, as JSON escapes"},
		{prefix: "dataurl", State: archived, behave: func(p *plan) { p.encode = dataURL }, Does: "Base64 behind `data:…;base64,`"},
		{prefix: "spaced", State: archived, behave: func(p *plan) { p.spaced = true }, Does: "white space wherever JSON allows it"},
		{prefix: "extra", State: archived, behave: func(p *plan) { p.extra = true }, Does: "unknown fields, with objects, lists and other things called video and photo in them"},
	}
}

func wireCases() caseTable {
	return caseTable{
		{prefix: "chunked", State: archived, behave: func(p *plan) { p.manner.chunked = true }, Does: "no Content-Length"},
		{prefix: "gzip", State: archived, behave: func(p *plan) { p.manner.gzip = true }, Does: "compressed, asked for or not"},
		{prefix: "slow", State: archived, behave: func(p *plan) { p.manner.slow = p.slowFor }, Does: "every reply trickles in over 3 s"},
		{prefix: "stall", State: archived, hits: mediaQueries, times: 1, behave: func(p *plan) { p.cut(goSilent) }, Does: "a part of the reply, then silence, once (or N times)", Expect: "times out, asks again"},
		{prefix: "cut", State: archived, hits: mediaQueries, times: 2, behave: func(p *plan) { p.cut(endCleanly) }, Does: "the body ends before its JSON does, twice (or N times)", Expect: "nothing of it is stored; asks again"},
		{prefix: "broken", State: archived, hits: mediaQueries, times: 2, behave: func(p *plan) { p.cut(breakOff) }, Does: "the connection breaks within the body, twice (or N times)", Expect: "nothing of it is stored; asks again"},
		{prefix: "reset", State: archived, hits: anyQuery, times: 1, behave: func(p *plan) { p.manner.then = breakOff }, Does: "the connection breaks without an answer, once (or N times)", Expect: "asks again, with a fresh nonce"},
		{prefix: "badlength", State: archived, hits: mediaQueries, times: 1, behave: func(p *plan) { p.manner.lengthOff = 100 }, Does: "Content-Length promises 100 bytes too many, once (or N times)", Expect: "nothing of it is stored; asks again"},
	}
}

func brokenCases() caseTable {
	const page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n"
	return caseTable{
		{prefix: "midquantum", State: archived, hits: mediaQueries, times: 1, behave: func(p *plan) { p.encode = midQuantum }, Does: "Base64 that ends within a group of four, in whole JSON, once (or N times)", Expect: "nothing of it is stored; asks again"},
		{prefix: "html200", State: archived, hits: anyQuery, times: 1, behave: func(p *plan) { p.page(http.StatusOK, page) }, Does: "an HTML page with status 200, once (or N times)", Expect: "asks again"},
		{prefix: "html502", State: archived, hits: anyQuery, times: 2, behave: func(p *plan) { p.page(http.StatusBadGateway, page) }, Does: "an HTML page with status 502, twice (or N times)", Expect: "asks again"},
		{prefix: "empty", State: archived, hits: anyQuery, times: 1, behave: func(p *plan) { p.page(http.StatusOK, "") }, Does: "status 200 and nothing else, once (or N times)", Expect: "asks again"},
		{prefix: "noresult", State: archived, hits: resultQueries, times: 1, behave: func(p *plan) { p.form = bare }, Does: "code 0 without `result`, once (or N times)"},
		{prefix: "nullresult", State: archived, hits: resultQueries, times: 1, behave: func(p *plan) { p.form = nullResult }, Does: "code 0 with `result` null, once (or N times)"},
		{prefix: "emptyresult", State: archived, hits: resultQueries, times: 1, behave: func(p *plan) { p.form = emptyResult }, Does: "code 0 with `result` {}, once (or N times)"},
	}
}

func codeCases() caseTable {
	return caseTable{
		{prefix: "ticket", State: archived, hits: anyQuery, times: 1, behave: refusal(codeBadSign), Does: "400101, a ticket that is not accepted, once (or N times)", Expect: "never counts against the order"},
		{prefix: "config", State: archived, hits: anyQuery, times: 1, behave: refusal(codeNoAccess), Does: "400103, no access, once (or N times)", Expect: "an alarm; never counts against the order"},
		{prefix: "busy", State: archived, hits: anyQuery, times: 2, behave: refusal(codeTooMany), Does: "400501, too many requests, twice (or N times)", Expect: "everyone backs off; never counts against the order"},
		{prefix: "transient", State: archived, hits: anyQuery, times: 2, behave: refusal(codeInternal), Does: "999999, internal error, twice (or N times)", Expect: "asks again"},
		{prefix: "unknowncode", State: archived, hits: anyQuery, times: 2, behave: refusal(codeNotInTables), Does: "a code that no document has, twice (or N times)", Expect: "asks again"},
	}
}

func oddCases() caseTable {
	return caseTable{
		{prefix: "png", State: archived, Photo: "png", Video: "mp4", behave: func(p *plan) { p.photo = inMemory("image/png", photoPNG) }, Does: "the photo is a PNG"},
		{prefix: "oddjpeg", State: archived, Photo: "bin", Video: "mp4", behave: func(p *plan) { p.photo = jpeg(withTail(photoJPEG, "tail")) }, Does: "the JPEG goes on after its end", Expect: "kept, flagged; counts once the same bytes came twice"},
		{prefix: "oddvideo", State: archived, Photo: "jpg", Video: "bin", behave: func(p *plan) { p.video = mp4(withTail(videoMP4, "\x7f\xff\xff\xffjunk")) }, Does: "the MP4's last box is longer than the file", Expect: "kept, flagged; counts once the same bytes came twice"},
		{prefix: "oddchanges", State: archived, hits: mediaQueries, times: 2, behave: changingTail, Does: "the JPEG goes on after its end, with other bytes each time, twice (or N times); then it is whole", Expect: "all of them are listed, the whole one first"},
	}
}

func foreignCases() caseTable {
	return caseTable{
		{prefix: "foreign", State: expired, hits: resultQueries, times: forever, behave: func(p *plan) { p.about = "0" + p.about[1:] }, Does: "the reply is about another order, always (or N times)", Expect: "an alarm; nothing of it is stored"},
		{prefix: "foreignapp", State: expired, hits: resultQueries, times: forever, behave: func(p *plan) { p.app = "TIDother" }, Does: "the reply is about another app id, always (or N times)", Expect: "an alarm; nothing of it is stored"},
	}
}

// match finds the case of an order number, the argument in it and how many queries are hit. Of several words that
// it begins with, the longest counts.
func (t caseTable) match(order string) (c Case, argument string, times int) {
	c, times = t[0], t[0].times
	longest := 0
	for _, candidate := range t {
		rest, ok := strings.CutPrefix(order, candidate.prefix)
		if !ok || len(candidate.prefix) <= longest {
			continue
		}
		arg, n, ok := candidate.read(rest)
		if !ok {
			continue
		}
		c, argument, times, longest = candidate, arg, n, len(candidate.prefix)
	}
	return c, argument, times
}
