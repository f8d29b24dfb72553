package samtest

import (
	"maps"
	"slices"
)

// ofType gives the logical ids of a type's resources, sorted.
func (s *Stack) ofType(kind string) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(s.Resources)) {
		if s.Resources[id].Type == kind {
			ids = append(ids, id)
		}
	}
	return ids
}

// Bucket is the archive's bucket, whether the stack makes it or not.
func (s *Stack) Bucket() string { return s.Parameters["BucketName"] }

// Prefix is what the archive's keys begin with: empty, or with a slash at its end.
func (s *Stack) Prefix() string { return s.Parameters["ArchivePrefix"] }

// bucketARN names the bucket in policies.
func (s *Stack) bucketARN() string { return "arn:" + Partition + ":s3:::" + s.Bucket() }
