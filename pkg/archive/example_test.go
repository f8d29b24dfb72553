package archive_test

import (
	"fmt"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
)

// The order number, opening and digest of these examples.
const (
	exampleOrder   = archive.Order("orderNo19959248596551")
	exampleOpening = "0qep1f2g0jrb9dkvpsmm2u4l8c"
	exampleDigest  = "eb92c57f4b1ae2ba26f70e0e8e4a1f2d3c4b5a69788796a5b4c3d2e1f0011223"
)

func ExampleMark() {
	m := archive.Mark{Order: exampleOrder, Opening: exampleOpening}
	fmt.Println(m.PendingKey())
	fmt.Println(m.RetryKey())
	fmt.Println(m.QuietKey())
	fmt.Println(m.ClosedKey())
	// Output:
	// pending/orderNo19959248596551.0qep1f2g0jrb9dkvpsmm2u4l8c
	// retry/orderNo19959248596551.0qep1f2g0jrb9dkvpsmm2u4l8c
	// quiet/orderNo19959248596551.0qep1f2g0jrb9dkvpsmm2u4l8c
	// closed/orderNo19959248596551.0qep1f2g0jrb9dkvpsmm2u4l8c
}

func ExampleFileKey() {
	for _, name := range []string{
		archive.FileName(archive.Result, exampleDigest, "json"),
		archive.FileName(archive.Photo, exampleDigest, "jpg"),
		archive.FileName(archive.Video, exampleDigest, "mp4"),
		archive.FileName(archive.Video, exampleDigest, "bin"), // bytes that look odd
		archive.ManifestName(1),
		archive.ManifestName(2),
	} {
		fmt.Println(archive.FileKey(exampleOrder, name))
	}
	// Output:
	// orders/orderNo19959248596551/result.eb92c57f4b1ae2ba26f70e0e8e4a1f2d3c4b5a69788796a5b4c3d2e1f0011223.json
	// orders/orderNo19959248596551/photo.eb92c57f4b1ae2ba26f70e0e8e4a1f2d3c4b5a69788796a5b4c3d2e1f0011223.jpg
	// orders/orderNo19959248596551/video.eb92c57f4b1ae2ba26f70e0e8e4a1f2d3c4b5a69788796a5b4c3d2e1f0011223.mp4
	// orders/orderNo19959248596551/video.eb92c57f4b1ae2ba26f70e0e8e4a1f2d3c4b5a69788796a5b4c3d2e1f0011223.bin
	// orders/orderNo19959248596551/manifest.json
	// orders/orderNo19959248596551/manifest.2.json
}

func ExampleJournalKey() {
	at := time.Date(2026, 11, 24, 7, 30, 5, 0, time.FixedZone("Beijing", 8*3600)) // the journal is in UTC
	fmt.Println(archive.JournalKey(at, exampleOrder, exampleDigest))
	// Output:
	// journal/2026-11-23/233005.orderNo19959248596551.eb92c57f4b1ae2ba26f70e0e8e4a1f2d3c4b5a69788796a5b4c3d2e1f0011223
}

func ExampleSealKey() {
	start := time.Date(2026, 11, 23, 8, 0, 0, 0, time.FixedZone("Beijing", 8*3600)) // windows are in UTC
	fmt.Println(archive.SealKey(start, archive.SealLeaves))
	fmt.Println(archive.SealKey(start, archive.SealCheckpoint))
	fmt.Println(archive.SealKey(start, archive.SealToken))
	// Output:
	// seals/20261123T000000Z/leaves
	// seals/20261123T000000Z/checkpoint
	// seals/20261123T000000Z/checkpoint.tsr
}

func ExampleTicketKey() {
	fmt.Println(archive.TicketKey(1))
	fmt.Println(archive.LeaseKey(12))
	n, ok := archive.ParseGeneration("system/lease/000000000012")
	fmt.Println(n, ok)
	// Output:
	// system/ticket/000000000001
	// system/lease/000000000012
	// 12 true
}

func ExampleBackoffKey() {
	fmt.Println(archive.BackoffKey())
	fmt.Println(archive.ProbeKey(exampleOpening))
	// Output:
	// system/backoff
	// system/probe/0qep1f2g0jrb9dkvpsmm2u4l8c
}

func ExampleParseFileName() {
	name, ok := archive.ParseFileName("photo." + exampleDigest + ".bin")
	fmt.Println(name.Kind, name.Ext, name.Odd(), ok)
	_, ok = archive.ParseFileName("manifest.json") // no evidence
	fmt.Println(ok)
	// Output:
	// photo bin true true
	// false
}

func ExampleParseOrder() {
	_, err := archive.ParseOrder("../../etc/passwd")
	fmt.Println(err)
	// Output:
	// byte 1 is neither: order number must be 1 to 32 letters and digits
}

func ExampleSortFiles() {
	files := []archive.File{{Name: "result.….json", Kind: archive.Result}, {Name: "photo.….bin", Kind: archive.Photo, Flag: "tail"}, {Name: "photo.….jpg", Kind: archive.Photo}}
	archive.SortFiles(files)
	for _, f := range files {
		fmt.Println(f.Name)
	}
	// Output:
	// photo.….jpg
	// photo.….bin
	// result.….json
}
