package costest

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// listXML is the answer of COS "GET Bucket (List Objects)".
type listXML struct {
	XMLName      xml.Name `xml:"ListBucketResult"`
	Name         string
	EncodingType string `xml:"EncodingType,omitempty"`
	Prefix       string
	Marker       string
	MaxKeys      int
	IsTruncated  bool
	NextMarker   string `xml:"NextMarker,omitempty"`
	Contents     []entryXML
}

type entryXML struct {
	Key          string
	LastModified string
	ETag         string
	Size         int64
	Owner        struct{ ID, DisplayName string }
	StorageClass string
}

// maxPage is the most keys of one answer, and the default (COS "GET Bucket": max-keys).
const maxPage = 1000

// list gives the keys behind the marker, in the order of their bytes (COS "GET Bucket": UTF-8 lexicographical order, the
// marker not included).
func (s *Server) list(q *request) answer {
	query := q.URL.Query()
	max, ok := pageSize(query.Get("max-keys"))
	encoding := query.Get("encoding-type")
	if !ok || encoding != "" && encoding != "url" {
		return refuse(http.StatusBadRequest, "InvalidArgument", "max-keys or encoding-type is invalid")
	}
	text := func(s string) string { return s }
	if encoding == "url" {
		text = encode
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	keys, shown := s.view.list(s.config.Now(), query.Get("prefix"), query.Get("marker"))
	page := listXML{
		Name: s.config.Bucket, EncodingType: encoding, Prefix: text(query.Get("prefix")), Marker: text(query.Get("marker")),
		MaxKeys: max, IsTruncated: len(keys) > max,
	}
	if page.IsTruncated {
		keys = keys[:max]
		page.NextMarker = text(keys[max-1])
	}
	for _, key := range keys {
		page.Contents = append(page.Contents, entryOf(text(key), shown[key]))
	}
	return answerXML(page)
}

func entryOf(key string, o *object) entryXML {
	class := o.storageClass
	if class == "" {
		class = "STANDARD"
	}
	e := entryXML{Key: key, LastModified: o.modified.UTC().Format("2006-01-02T15:04:05.000Z"), ETag: o.etag(), Size: o.size, StorageClass: class}
	e.Owner.ID, e.Owner.DisplayName = "1250000000", "1250000000"
	return e
}

func pageSize(s string) (int, bool) {
	if s == "" {
		return maxPage, true
	}
	n, err := strconv.Atoi(s)
	return min(n, maxPage), err == nil && n > 0
}

// within gives the keys with the prefix and behind the marker, sorted.
func within(shown map[string]*object, prefix, marker string) []string {
	var keys []string
	for key := range shown {
		if strings.HasPrefix(key, prefix) && key > marker {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}
