package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/kycvault/kycvault/pkg/agekey"
	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bag"
	"github.com/kycvault/kycvault/pkg/bundle"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/seal"
	"github.com/kycvault/kycvault/pkg/seal/stamp"
)

type exportCmd struct {
	Orders []string `arg:"" name:"order" help:"Order numbers."`
	Out    string   `short:"o" required:"" placeholder:"PATH" type:"path" help:"The folder to make, or a file that ends in .zip."`
	Keys   []string `name:"identity" placeholder:"FILE" type:"path" sep:"none" help:"Secret keys that decrypt what is encrypted; may be given several times."`
	JSON   bool     `name:"json" help:"One JSON object on stdout."`

	logFlags
	archiveFlags
	sealFlags
}

// Help implements kong.HelpProvider.
func (exportCmd) Help() string {
	return `Makes a bag (BagIt, RFC 8493) that stands on its own before a court: the orders' evidence and manifests, the proof that each manifest is in
a sealed tree, the signed checkpoint, its timestamp, the keys, and a README in English and Chinese that tells an expert how to check
all of it with sha256sum, openssl and one page of Python. Every order must be sealed; every file is checked while it is written, and a
failed command leaves nothing.

What is stored encrypted comes as it is, as photo.DIGEST.jpg.age: the bag proves that it is what was sealed, and shows nobody a face. With
--identity, a file of secret keys, it is decrypted and comes as photo.DIGEST.jpg in place of that; the sealed manifest has both digests,
so the bag proves the same. A file that none of the keys opens ends the command.

Orders whose numbers differ in upper and lower case only need a bag each: unpacked, they would be one on some systems.

The key is that of --seal-key or KYC_SEAL_KEY. With --tsa-ca the timestamps are checked, and its certificates come with the bag.

The fields of --json:

    path       the bag
    orders     their numbers
    seals      the windows they are sealed in
    files      how many files of evidence
    encrypted  how many of them are encrypted in the bag

Example, with the settings of verify in the environment:

    kycvault export orderNo0001 --seal-key seal-key.pub -o case-4711.zip

Exit codes: 0 done, 1 an order is not there, not sealed yet or damaged; 2 wrong usage.`
}

// exported is what --json prints.
type exported struct {
	Path      string          `json:"path"`
	Orders    []archive.Order `json:"orders"`
	Seals     []string        `json:"seals"`
	Files     int             `json:"files"`
	Encrypted int             `json:"encrypted"`
}

// Run does it.
func (c *exportCmd) Run(ctx context.Context, a *app) error {
	orders, err := parseOrders(c.Orders)
	if err != nil {
		return usage(err)
	}
	cfg, err := a.config(platform.NeedArchive)
	if err != nil {
		return err
	}
	e := &export{seals: make(map[string]seal.PublicKey)}
	if e.keys, err = c.keys(cfg); err != nil {
		return err
	}
	if len(e.keys) == 0 {
		return usage(errors.New("--seal-key must say whose signature the seals have"))
	}
	if e.identities, err = agekey.ReadIdentities(c.Keys...); err != nil {
		return usage(err)
	}
	if e.roots, err = cfg.TSARoots(); err != nil {
		return usage(err)
	}
	if e.vault, err = a.openArchive(); err != nil {
		return err
	}
	if e.bag, err = bag.Create(c.Out); err != nil {
		return err
	}
	if err := e.all(ctx, slices.Compact(slices.Sorted(slices.Values(orders)))); err != nil {
		e.bag.Discard()
		return err
	}
	if err := e.bag.Close(bag.Info{Software: writer(), Description: "Evidence of face checks", At: a.now()}); err != nil {
		return err
	}
	return c.report(a, exported{Path: c.Out, Orders: orders, Seals: slices.Sorted(maps.Keys(e.seals)), Files: e.files, Encrypted: e.encrypted})
}

func (c *exportCmd) report(a *app, r exported) error {
	if c.JSON {
		return a.printJSON(r)
	}
	if r.Encrypted > 0 {
		a.tell(fmt.Sprintf("%d files are in the bag encrypted, as stored: --identity FILE decrypts, and so does age -d -i FILE", r.Encrypted))
	}
	return a.print(fmt.Sprintf("%s: %d orders, %d files, %d seals; its README.md tells how to check it", r.Path, len(r.Orders), r.Files, len(r.Seals)))
}

// export is a bag that is being filled.
type export struct {
	vault *archive.Archive
	keys  []seal.PublicKey
	roots *stamp.Roots // nil is none
	bag   *bag.Bag
	seals map[string]seal.PublicKey // by their names: who signed them
	times int                       // timestamps

	identities agekey.Identities // that decrypt what is encrypted; none puts it into the bag as it is
	files      int
	encrypted  int // of the files, in the bag
}

func (e *export) all(ctx context.Context, orders []archive.Order) error {
	for _, o := range orders {
		if err := e.order(ctx, o); err != nil {
			return err
		}
	}
	if e.roots != nil {
		if err := e.bag.AddBytes(bundle.CAFile, e.roots.PEM()); err != nil {
			return err
		}
	}
	return errors.Join(e.bag.AddBytes(bundle.Script, checkScript), e.bag.AddBytes(bundle.Readme, e.readme()))
}

// order adds an order: its evidence, each manifest, and the proof of it.
func (e *export) order(ctx context.Context, o archive.Order) error {
	if _, err := committed(ctx, e.vault, o); err != nil {
		return err
	}
	manifests, err := e.vault.Manifests(ctx, o)
	if err != nil {
		return err
	}
	for _, m := range manifests {
		if err := e.manifest(ctx, m); err != nil {
			return err
		}
	}
	for _, f := range manifests[len(manifests)-1].Files { // which names all that those before it name
		if err := e.evidence(ctx, o, f); err != nil {
			return err
		}
	}
	return nil
}

func (e *export) manifest(ctx context.Context, m archive.Stored) error {
	proof, signed, err := seal.Find(ctx, e.vault, m)
	if err != nil {
		return err
	}
	text, err := proof.Encode()
	if err != nil {
		return err
	}
	name := archive.ManifestName(m.N)
	data, err := e.vault.ReadSmall(ctx, m.Order, name)
	if err != nil {
		return err
	}
	return errors.Join(
		e.bag.AddBytes(bundle.OrderFile(m.Order, name), data),
		e.bag.AddBytes(bundle.ProofFile(m.Order, name), text),
		e.seal(ctx, proof.Seal, signed))
}

// evidence adds one file: as it is stored, or, with identities, decrypted under its name without .age.
func (e *export) evidence(ctx context.Context, o archive.Order, f archive.File) error {
	r, _, err := e.vault.OpenEvidence(ctx, o, f.Name)
	if err != nil {
		return fmt.Errorf("open %s of order %s: %w", f.Name, o, err)
	}
	defer func() { _ = r.Close() }()
	file := fetchedFile{Path: f.Name, Encrypted: f.Stored != nil && len(e.identities) == 0, File: f}
	if file.Encrypted {
		e.encrypted++
	} else if f.Stored != nil {
		name, _ := archive.ParseFileName(f.Name)
		file.Path = archive.FileName(name.Kind, name.Digest, name.PlainExt())
	}
	e.files++
	return e.bag.Add(bundle.OrderFile(o, file.Path), func(w io.Writer) error { return copyEvidence(ctx, w, r, file, e.identities) })
}

// seal adds a checkpoint once, with its timestamp and the key that it is signed with.
func (e *export) seal(ctx context.Context, name string, signed []byte) error {
	if _, done := e.seals[name]; done {
		return nil
	}
	key, err := e.signer(signed)
	if err != nil {
		return fmt.Errorf("seal %s: %w", name, err)
	}
	e.seals[name] = key
	text, err := key.PEM()
	if err != nil {
		return err
	}
	start, _ := archive.ParseSealName(name)
	token, found, err := e.vault.ReadSeal(ctx, start, archive.SealToken)
	if err != nil {
		return err
	}
	if found {
		if _, err := stamp.Check(signed, token, e.roots); err != nil {
			return fmt.Errorf("seal %s: %w", name, err)
		}
		e.times++
		err = e.bag.AddBytes(bundle.SealFile(name, archive.SealToken), token)
	}
	return errors.Join(err, e.bag.AddBytes(bundle.SealFile(name, archive.SealCheckpoint), signed), e.bag.AddBytes(bundle.SealFile(name, bundle.KeyFile), text))
}

// signer gives the key that has signed a checkpoint.
func (e *export) signer(signed []byte) (seal.PublicKey, error) {
	for _, key := range e.keys {
		if _, err := seal.Open(signed, []seal.PublicKey{key}); err == nil {
			return key, nil
		}
	}
	return seal.PublicKey{}, seal.ErrUnsigned
}

var (
	//go:embed bundle/check.py
	checkScript []byte
	//go:embed bundle/README.md
	bundleReadme []byte
)

// What the README says of timestamps, with the authority's certificates in the bag, and without.
const (
	timestampBlock = "\n\n```sh\nfor token in data/seals/*/checkpoint.tsr; do\n\topenssl ts -verify -data \"${token%.tsr}\" -in \"$token\" -CAfile data/keys/tsa-ca.pem -untrusted data/keys/tsa-ca.pem\ndone\n```" +
		"\n\n`openssl ts -reply -text -in data/seals/…/checkpoint.tsr` shows the time. Get the authority's root certificate from the authority itself and compare it with data/keys/tsa-ca.pem."
	timestampEN = "The checkpoints were there at the time of the timestamp. For each it says `Verification: OK`:" + timestampBlock
	timestampZH = "checkpoint 在时间戳所示时间已经存在:第 4 步,每个都应显示 `Verification: OK`。请从时间戳机构处取得其根证书,与 data/keys/tsa-ca.pem 核对。"
	otherwiseEN = "The time: where a seal has a `checkpoint.tsr`, ask its authority for the root certificate, and run `openssl ts -verify` with `-data checkpoint -in checkpoint.tsr -CAfile` and that certificate."
	otherwiseZH = "时间:如有 `checkpoint.tsr`,请向其时间戳机构索取根证书,并用 `openssl ts -verify` 核验。"
)

// readme fills in the keys, and what to do about timestamps.
func (e *export) readme() []byte {
	var keys []string
	for _, key := range e.seals {
		keys = append(keys, "    "+key.String())
	}
	slices.Sort(keys)
	en, zh := otherwiseEN, otherwiseZH
	if e.roots != nil && e.times > 0 {
		en, zh = timestampEN, timestampZH
	}
	text := bytes.ReplaceAll(bundleReadme, []byte("TIMESTAMP-EN"), []byte(en))
	text = bytes.ReplaceAll(text, []byte("TIMESTAMP-ZH"), []byte(zh))
	return bytes.ReplaceAll(text, []byte("KEYS"), []byte(strings.Join(slices.Compact(keys), "\n")))
}
