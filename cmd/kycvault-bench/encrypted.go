package main

import (
	"context"
	"fmt"
	"time"

	"github.com/kycvault/kycvault/pkg/agekey"
)

// leastEncrypted is the share of the plain throughput that is left when evidence is encrypted (issue E).
const leastEncrypted = 0.4

// encryptedOrder measures the order of 64 MB once more, with evidence that is encrypted to two recipients, beside the plain one.
func encryptedOrder(ctx context.Context, s settings, t *table) error {
	open, closed := newVault(s, "open"), newVault(s, "closed")
	defer open.close()
	defer closed.close()
	recipients, err := twoRecipients()
	if err != nil {
		return err
	}
	env := append(closed.env(), "KYC_RECIPIENTS="+recipients)
	var plain, ours usages
	for i := range s.rounds {
		order := fmt.Sprintf("big%dmb%d", max(1, orderMiB/s.scale), i)
		if err := plain.add(runProcess(ctx, open.env(), s.kycvault, "pull", order)); err != nil {
			return err
		}
		if err := ours.add(runProcess(ctx, env, s.kycvault, "pull", order)); err != nil {
			return err
		}
	}
	share := ratio(plain.walls, ours.walls)
	t.add(row{what: "an encrypted order of 64 MB: time", other: "not encrypted " + plain.wall(), ours: ours.wall(),
		ratio: fmt.Sprintf("%.0f %%", share*100), hold: "≥ 40 %", held: share >= leastEncrypted})
	t.add(row{what: "… CPU", other: "not encrypted " + plain.cpu(), ours: ours.cpu(), ratio: times(ratio(ours.cpus, plain.cpus))})
	t.add(row{what: "… peak memory", other: "not encrypted " + mebibytes(median(plain.peaks)), ours: mebibytes(median(ours.peaks)),
		ratio: times(ratio(ours.peaks, plain.peaks)), hold: "≤ 32 MiB", held: median(ours.peaks) <= mostPeak})
	return nil
}

// twoRecipients makes public keys: a vault should have two.
func twoRecipients() (string, error) {
	first, err := agekey.NewPair(time.Now())
	if err != nil {
		return "", err
	}
	second, err := agekey.NewPair(time.Now())
	return first.Public + "," + second.Public, err
}
