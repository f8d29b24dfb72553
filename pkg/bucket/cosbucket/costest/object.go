package costest

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc64"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"
)

// object is a stored one. It never changes.
type object struct {
	size         int64
	modified     time.Time // whole seconds
	mediaType    string
	md5          [md5.Size]byte
	crc          uint64
	data         []byte // of a small one
	file         string // of a large one
	storageClass string
	encryption   string
}

// inMemory is the size up to which an object is kept in memory; the others do not show in a test's memory.
const inMemory = 1 << 20

// maxPut is 5 GB (COS "PUT Object").
const maxPut = 5 << 30

func (o *object) open() (io.ReadCloser, error) {
	if o.file == "" {
		return io.NopCloser(bytes.NewReader(o.data)), nil
	}
	return os.Open(o.file)
}

func (o *object) etag() string { return `"` + hex.EncodeToString(o.md5[:]) + `"` }

// put stores an object when all of its bytes have come, and not before.
func (s *Server) put(q *request) answer {
	if q.ContentLength < 0 {
		return refuse(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	if q.ContentLength > maxPut {
		return refuse(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.")
	}
	o, err := s.receive(q)
	if err != nil {
		return refuse(http.StatusBadRequest, "IncompleteBody", "The body is shorter than Content-Length.")
	}
	if want := q.Header.Get("Content-MD5"); want != "" {
		sum, err := base64.StdEncoding.DecodeString(want)
		switch {
		case err != nil || len(sum) != md5.Size:
			return refuse(http.StatusBadRequest, "InvalidDigest", "The Content-MD5 you specified is not valid.")
		case !bytes.Equal(sum, o.md5[:]):
			return refuse(http.StatusBadRequest, "BadDigest", "The Content-MD5 you specified did not match what we received.")
		}
	}
	return s.commit(q, o)
}

// commit is atomic. x-cos-forbid-overwrite: an existing object makes the put fail with 409 FileAlreadyExists; on a bucket
// that has or had versioning it has no effect (COS "PUT Object").
func (s *Server) commit(q *request, o *object) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, there := s.store[q.key]
	if there && q.Header.Get("x-cos-forbid-overwrite") == "true" && !s.ever {
		return refuse(http.StatusConflict, "FileAlreadyExists", "The file already exists.")
	}
	o.modified = s.config.Now().Truncate(time.Second)
	s.store[q.key] = o
	s.view.changed(q.key, o, s.config.Now())
	q.call.Changed = true
	a := answer{status: http.StatusOK, header: o.header()}
	delete(a.header, "Content-Type")
	delete(a.header, "Last-Modified")
	if s.state == Enabled { // a suspended bucket gives none (COS "PUT Object", versioning)
		a.header["x-cos-version-id"] = base64.StdEncoding.EncodeToString([]byte("version of " + q.id))
	}
	return a
}

// header is what GET, HEAD and PUT tell of an object (COS "PUT Object", "GET Object").
func (o *object) header() map[string]string {
	h := map[string]string{
		"Content-Type":         o.mediaType,
		"ETag":                 o.etag(),
		"Last-Modified":        o.modified.UTC().Format(http.TimeFormat),
		"x-cos-hash-crc64ecma": strconv.FormatUint(o.crc, 10),
	}
	if o.storageClass != "" && o.storageClass != "STANDARD" {
		h["x-cos-storage-class"] = o.storageClass
	}
	if o.encryption != "" {
		h["x-cos-server-side-encryption"] = o.encryption
	}
	return h
}

// receive reads a body to the end.
func (s *Server) receive(q *request) (*object, error) {
	o := &object{
		mediaType: q.Header.Get("Content-Type"), storageClass: q.Header.Get("x-cos-storage-class"),
		encryption: q.Header.Get("x-cos-server-side-encryption"),
	}
	sum, crc := md5.New(), crc64.New(crc64.MakeTable(crc64.ECMA))
	var small bytes.Buffer
	var w io.Writer = &small
	if q.ContentLength > inMemory {
		f, err := os.CreateTemp(s.dir, "object-")
		if err != nil {
			return nil, fmt.Errorf("keep object: %w", err)
		}
		defer func() { _ = f.Close() }()
		o.file, w = f.Name(), f
	}
	n, err := io.Copy(io.MultiWriter(w, sum, crc), q.Body)
	if err == nil && n != q.ContentLength {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	o.size, o.crc, o.data = n, crc.Sum64(), small.Bytes()
	copy(o.md5[:], sum.Sum(nil))
	return o, nil
}

func (s *Server) get(q *request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, found := s.store[q.key]
	if !found {
		return refuse(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	}
	if (o.storageClass == "ARCHIVE" || o.storageClass == "DEEP_ARCHIVE") && q.Method == http.MethodGet {
		return refuse(http.StatusForbidden, "InvalidObjectState", "The operation is not valid for the object's storage class.")
	}
	return answer{status: http.StatusOK, header: o.header(), size: o.size, body: o.open}
}

// delete answers 204 whether there was an object or not (COS "DELETE Object").
func (s *Server) delete(q *request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, found := s.store[q.key]; found {
		delete(s.store, q.key)
		s.view.changed(q.key, nil, s.config.Now())
		q.call.Changed = true
	}
	return answer{status: http.StatusNoContent}
}

// Object gives the bytes of an object, for tests that look behind the caller's back; nil is none.
func (s *Server) Object(key string) []byte {
	s.mu.Lock()
	o := s.store[key]
	s.mu.Unlock()
	if o == nil {
		return nil
	}
	r, err := o.open()
	if err != nil {
		return nil
	}
	defer func() { _ = r.Close() }()
	data, _ := io.ReadAll(r)
	return data
}
