package bag

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Sum is what a file's bytes are.
type Sum struct {
	Size   int64
	SHA256 string // lower-case hex
}

// Check reads every file once and reports all that is wrong with the bag: with names, lists, digests, and what it says of itself. It
// gives the sums of the files that could be read whole. progress is told the bytes that were read; nil is nobody. An error is that
// of the context: nothing that the bag holds is one. Memory grows with the number of files, and not with their size.
func (r *Reader) Check(ctx context.Context, report func(Problem), progress func(bytes int64)) (map[string]Sum, error) {
	c := &checker{Reader: r, ctx: ctx, report: report, progress: progress, buffer: make([]byte, 128<<10), sums: make(map[string]Sum)}
	for _, p := range r.problems {
		report(p)
	}
	c.declaration()
	payload, tags := c.list(payloadList), c.list(tagList)
	c.others()
	for _, name := range r.Names() {
		if err := c.file(name, payload, tags); err != nil {
			return nil, err
		}
	}
	c.missing(payload)
	c.missing(tags)
	c.oxum()
	return c.sums, nil
}

// checker is a check under way.
type checker struct {
	*Reader
	ctx      context.Context
	report   func(Problem)
	progress func(int64)
	read     int64
	buffer   []byte
	sums     map[string]Sum
}

func (c *checker) tell(name, kind, what string) { c.report(Problem{Shown(name), kind, what}) }

// declaration checks bagit.txt, which is there.
func (c *checker) declaration() {
	if !c.Has(declaration) {
		return // refused
	}
	data, err := c.ReadSmall(declaration, int64(2*len(declared)))
	if err == nil {
		err = checkDeclaration(string(data))
	}
	if err != nil {
		c.tell(declaration, BadList, err.Error())
	}
}

// list reads one of the lists; nil is one that tells nothing.
func (c *checker) list(name string) list {
	if _, there := c.files[name]; !there {
		c.tell(name, Missing, "each bag here must have this list")
	}
	if !c.Has(name) {
		return nil
	}
	f, err := c.Open(name)
	if err != nil {
		c.tell(name, BadList, err.Error())
		return nil
	}
	defer func() { _ = f.Close() }()
	all, err := readList(f, name == payloadList, func(n int, err error) { c.tell(name, BadList, fmt.Sprintf("line %d: %v", n, err)) })
	if err != nil {
		c.tell(name, BadList, err.Error())
		return nil
	}
	return all
}

// others tells of what is a part of some bags, and not looked at here.
func (c *checker) others() {
	for _, name := range c.Names() {
		switch {
		case strings.Contains(name, "/"), name == payloadList, name == tagList:
		case name == "fetch.txt":
			c.tell(name, BadList, "it says that files are to be fetched from elsewhere; only a whole bag can be checked")
		case strings.HasSuffix(name, ".txt") && (strings.HasPrefix(name, "manifest-") || strings.HasPrefix(name, "tagmanifest-")):
			c.tell(name, BadList, "it has digests of a kind that is not checked here: only SHA-256 is")
		}
	}
}

// file reads a file and compares it with the list that it belongs to.
func (c *checker) file(name string, payload, tags list) error {
	in, says := tags, tagList
	if strings.HasPrefix(name, payloadFolder) {
		in, says = payload, payloadList
	}
	want, listed := in[name]
	if !listed && in != nil && name != tagList {
		c.tell(name, Unlisted, says+" does not name it")
	}
	sum, err := c.measure(name)
	switch {
	case c.ctx.Err() != nil:
		return c.ctx.Err()
	case err != nil:
		c.tell(name, Changed, "it can not be read whole: "+err.Error())
		return nil
	case listed && sum.SHA256 != want:
		c.tell(name, Changed, "its bytes are not those that "+says+" says")
	}
	c.sums[name] = sum
	return nil
}

// measure reads a file whole.
func (c *checker) measure(name string) (Sum, error) {
	f, err := c.Open(name)
	if err != nil {
		return Sum{}, err
	}
	defer func() { _ = f.Close() }()
	h, size := sha256.New(), int64(0)
	for {
		n, err := f.Read(c.buffer)
		h.Write(c.buffer[:n])
		size += int64(n)
		c.told(n)
		switch {
		case err == io.EOF:
			return Sum{size, hex.EncodeToString(h.Sum(nil))}, nil
		case err != nil:
			return Sum{}, err
		case c.ctx.Err() != nil:
			return Sum{}, c.ctx.Err()
		}
	}
}

func (c *checker) told(n int) {
	if c.read += int64(n); c.progress != nil {
		c.progress(c.read)
	}
}

// missing tells of files that a list names and that are not there.
func (c *checker) missing(l list) {
	for _, name := range slices.Sorted(maps.Keys(l)) {
		if _, there := c.files[name]; !there {
			c.tell(name, Missing, "a list of the bag names it")
		}
	}
}

// oxum compares what bag-info.txt says of the payload with what is there.
func (c *checker) oxum() {
	if !c.Has(infoFile) {
		return
	}
	text, err := c.ReadSmall(infoFile, maxInfo)
	if err != nil {
		c.tell(infoFile, BadList, err.Error())
		return
	}
	says, found, err := oxum(string(text))
	var bytes, files int64
	for name, sum := range c.sums {
		if strings.HasPrefix(name, payloadFolder) {
			bytes, files = bytes+sum.Size, files+1
		}
	}
	if is := fmt.Sprintf("%d.%d", bytes, files); err == nil && found && says != is {
		err = errors.New("its Payload-Oxum (bytes, files) is not " + is + ", which is what is there")
	}
	if err != nil {
		c.tell(infoFile, BadList, err.Error())
	}
}
