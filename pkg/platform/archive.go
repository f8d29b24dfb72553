package platform

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
)

// Archive is a parsed KYC_ARCHIVE. The zero Archive is none.
type Archive struct {
	Scheme  string     // SchemeFile, SchemeS3 or SchemeCOS
	Path    string     // file: the absolute folder, cleaned
	Bucket  string     // s3, cos
	Prefix  string     // s3, cos: what keys begin with, without slashes at its ends
	Options url.Values // s3, cos: the URL's options, each at most once and known to the scheme
}

// The schemes of KYC_ARCHIVE.
const (
	SchemeFile = "file"
	SchemeS3   = "s3"
	SchemeCOS  = "cos"
)

// archiveExpected is the shape that every message about KYC_ARCHIVE ends with.
const archiveExpected = "file:///dir, s3://bucket/prefix?region=… or cos://bucket-appid/prefix?region=…"

// archiveOptions are the options that each scheme knows, with the form of their values (DESIGN section 6).
var archiveOptions = map[string]map[string]form{
	SchemeFile: {},
	SchemeS3: {
		"region":        madeOf(lower + digits + "-"),
		"endpoint":      isEndpoint,
		"path_style":    oneOf("true", "false"),
		"lock":          oneOf("compliance", "governance"),
		"retain":        isDays,
		"kms":           isVisible,
		"storage_class": isStorageClass,
	},
	SchemeCOS: {
		"region":        madeOf(lower + digits + "-"),
		"endpoint":      isEndpoint, // the bucket's own URL
		"storage_class": isStorageClass,
		"encryption":    oneOf("AES256", "cos/kms"),
		"kms":           isVisible,
	},
}

// ParseArchive reads a location. The error says what is wrong without repeating it.
func ParseArchive(s string) (Archive, error) {
	u, err := url.Parse(s)
	if err != nil {
		return Archive{}, fmt.Errorf("not a URL")
	}
	if u.User != nil || u.Fragment != "" {
		return Archive{}, fmt.Errorf("holds a user, a password or a fragment")
	}
	a := Archive{Scheme: u.Scheme}
	if a.Options, err = parseOptions(u); err != nil {
		return Archive{}, err
	}
	if u.Scheme == SchemeFile {
		err = a.setFolder(u)
	} else {
		err = a.setBucket(u)
	}
	if err != nil {
		return Archive{}, err
	}
	return a, nil
}

func (a *Archive) setFolder(u *url.URL) error {
	if u.Host != "" || !strings.HasPrefix(u.Path, "/") {
		return fmt.Errorf("not an absolute folder (three slashes: file:///dir)")
	}
	if strings.ContainsRune(u.Path, 0) {
		return fmt.Errorf("a folder can not hold a zero byte")
	}
	a.Path = path.Clean(u.Path)
	if a.Path == "/" {
		return fmt.Errorf("the root folder is no place for an archive")
	}
	return nil
}

func (a *Archive) setBucket(u *url.URL) error {
	fits, rule := isS3Bucket, "a bucket has 3 to 63 lower-case letters, digits, dots and hyphens"
	if a.Scheme == SchemeCOS {
		fits, rule = isCOSBucket, "a bucket is name-appid, of lower-case letters, digits and hyphens"
	}
	if !fits(u.Host) {
		return fmt.Errorf("%s", rule)
	}
	a.Bucket = u.Host
	a.Prefix = strings.Trim(u.Path, "/")
	if a.Prefix != "" && !isPrefix(a.Prefix) {
		return fmt.Errorf("a prefix has letters, digits, '.', '_' and '-' between single slashes")
	}
	return nil
}

// parseOptions checks names and values of the options; an empty value is as good as none.
func parseOptions(u *url.URL) (url.Values, error) {
	known, ok := archiveOptions[u.Scheme]
	if !ok {
		return nil, fmt.Errorf("its scheme is none of file, s3 and cos")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("its options can not be read")
	}
	options := url.Values{}
	for _, name := range sortedKeys(query) {
		fits, ok := known[name]
		switch value := query[name]; {
		case !ok:
			return nil, fmt.Errorf("option %q is not known to %s", name, u.Scheme)
		case len(value) > 1:
			return nil, fmt.Errorf("option %q is given %d times", name, len(value))
		case value[0] == "":
		case !fits(value[0]):
			return nil, fmt.Errorf("option %q has a value that it can not have", name)
		default:
			options.Set(name, value[0])
		}
	}
	if options.Has("lock") != options.Has("retain") {
		return nil, fmt.Errorf("options \"lock\" and \"retain\" go together")
	}
	if options.Get("encryption") == "AES256" && options.Has("kms") {
		return nil, fmt.Errorf("option \"kms\" needs another \"encryption\"")
	}
	return options, nil
}

func isEndpoint(s string) bool {
	u, problem := parseURL(s)
	return problem == "" && bare(u)
}

// String gives the location as it was written, in one form. It holds no secret.
func (a Archive) String() string {
	switch a.Scheme {
	case "":
		return ""
	case SchemeFile:
		return (&url.URL{Scheme: a.Scheme, Path: a.Path}).String()
	}
	u := url.URL{Scheme: a.Scheme, Host: a.Bucket, RawQuery: a.Options.Encode()}
	if a.Prefix != "" {
		u.Path = "/" + a.Prefix
	}
	return u.String()
}

func (r *reader) archive(name string) Archive {
	v := r.value(name)
	if v == "" {
		return Archive{}
	}
	a, err := ParseArchive(v)
	if err != nil {
		r.mistake(name, err.Error(), archiveExpected+optionsHint(v))
	}
	return a
}

// optionsHint lists the options of the scheme that a location begins with.
func optionsHint(location string) string {
	scheme, _, _ := strings.Cut(location, ":")
	known := archiveOptions[scheme]
	if len(known) == 0 {
		return ""
	}
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	return " with options " + strings.Join(names, ", ")
}
