package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/seal/stamp"
)

// badRoots is a KYC_TSA_CA that can not be read. Who asks for timestamps does not start with it.
func badRoots(err error, cfg platform.Config) finding {
	f := finding{Check: "timestamps' CA", Level: levelBad, Found: err.Error(), Means: "serve and the re-fetch do not start with it",
		Do: "let KYC_TSA_CA be PEM certificates, or the path of a file with them that this user can read"}
	if cfg.TSAURL == "" {
		f.Level, f.Means = levelWarning, "verify and export do not start with it"
	}
	return f
}

// maxLookBack is how many seals are read to find the last that wants a timestamp.
const maxLookBack = 32

// timestamps looks at the last seal that wants a timestamp. No finding where none does, and none will.
func (d *doctor) timestamps(ctx context.Context, cfg platform.Config, vault *archive.Archive, list []sealSeen, now time.Time, roots *stamp.Roots) {
	for i := len(list) - 1; i >= max(0, len(list)-maxLookBack); i-- {
		s, err := readSealed(ctx, vault, list[i])
		switch {
		case err != nil:
			d.add(unseenSeals(err))
			return
		case s.Timestamp:
			d.add(stampOf(ctx, cfg, vault, s, now, roots))
			return
		}
	}
	if cfg.TSAURL != "" {
		d.info("seals' timestamps", "none of the last seals asked for one", "the next one does")
	}
}

// stampOf judges the timestamp of a seal that wants one.
func stampOf(ctx context.Context, cfg platform.Config, vault *archive.Archive, s sealed, now time.Time, roots *stamp.Roots) finding {
	f := finding{Check: "seals' timestamps", Level: levelWarning, Means: "nobody but who holds the seal key says when it was made"}
	if !s.token {
		f.Found = "the seal of the window until " + s.Window.End.Format(time.RFC3339)
		if now.Before(s.Window.End.Add(2*cfg.SealGrace + sealSlack)) {
			return finding{Check: f.Check, Level: levelOK, Found: f.Found + " is new, and still waits for its own"}
		}
		f.Found += " wants one, and has none"
		f.Do = `look in the log for "no timestamp could be had", and at the timestamp authority; passes ask again for a week, kycvault seal for all that are missing`
		return f
	}
	token, found, err := vault.ReadSeal(ctx, s.Window.Start, archive.SealToken)
	if err == nil && !found {
		err = fmt.Errorf("read %s: it was listed, and is not there", archive.SealKey(s.Window.Start, archive.SealToken))
	}
	var t stamp.Token
	if err == nil {
		t, err = stamp.Check(s.signed, token, roots)
	}
	if err != nil {
		f.Found, f.Do = err.Error(), "if the authority was changed, let KYC_TSA_CA hold the roots of both; kycvault verify --tsa-ca names all that are not good"
		return f
	}
	return finding{Check: f.Check, Level: levelOK, Found: "the last one is of " + t.Time.Format(time.RFC3339)}
}

// authority asks for a timestamp of random bytes. trusted: KYC_TSA_CA could be read; roots is nil where it is not set.
func (d *doctor) authority(ctx context.Context, cfg platform.Config, roots *stamp.Roots, trusted bool) {
	const check, without = "timestamp authority", "seals get no timestamp; they are made all the same, and passes ask again for a week"
	asked := []byte(rand.Text())
	client := &stamp.Client{URL: cfg.TSAURL, Rand: rand.Reader, Now: d.app.now}
	token, err := client.Stamp(ctx, asked)
	if err != nil {
		d.add(finding{Check: check, Level: levelWarning, Found: err.Error(), Means: without,
			Do: "look at KYC_TSA_URL, this machine's clock, the network, and HTTPS_PROXY where there is a proxy"})
		return
	}
	_, err = stamp.Check(asked, token, roots)
	switch {
	case err != nil:
		d.add(finding{Check: check, Level: levelWarning, Found: "its timestamps do not lead to KYC_TSA_CA: " + err.Error(), Means: "each is refused: " + without,
			Do: "put the authority's root certificate, and those between, into KYC_TSA_CA"})
	case !trusted:
		d.ok(check, "answers")
	case roots == nil:
		d.info(check, "answers; KYC_TSA_CA is not set", "whatever answers at KYC_TSA_URL is taken for it")
	default:
		d.ok(check, "answers, with what leads to KYC_TSA_CA")
	}
}
