package main

import "github.com/kycvault/kycvault/pkg/platform"

// queue looks at the functions' queue, where one is set. This command has none of its own: its steps wait in the process.
func (d *doctor) queue(cfg platform.Config) {
	if cfg.QueueURL != "" {
		d.info("queue", "not looked at", "the functions use KYC_QUEUE_URL; this command's steps wait in its own process")
	}
}
