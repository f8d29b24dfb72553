package tencent

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/kycvault/kycvault/pkg/platform"
)

// core is what an instance of a function keeps from one invocation to the next.
type core struct {
	options Options
	special special
	role    role
	level   *slog.LevelVar
	log     *slog.Logger

	mu    sync.Mutex
	wired *system
	told  string // the mistakes that the log has
}

// special is what one function has beside the others.
type special struct {
	needs platform.Needs
	seals bool // it closes windows of time, so it alone may have the key for that
	// wire makes the parts that are this function's own. It is a value, so that no other function links what makes them.
	wire func(s *system) error
}

// system is the wired core.
type system struct {
	*platform.System
	config  platform.Config
	log     *slog.Logger
	handler http.Handler // of the webhook function only
}

func newCore(o Options, s special) *core {
	c := &core{options: o.withDefaults(), special: s, level: new(slog.LevelVar)}
	c.log = platform.NewLogger(c.options.Output, c.level, false)
	return c
}

// ready gives the core, and wires it when this is the first invocation. Settings with mistakes are read again at the next one,
// since variables come with it; the log has the same mistakes only once.
func (c *core) ready(ctx context.Context) (*system, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wired != nil {
		return c.wired, nil
	}
	s, err := c.wire(ctx)
	if err == nil {
		c.wired = s
		return s, nil
	}
	if err.Error() != c.told {
		c.told = err.Error()
		c.log.LogAttrs(ctx, slog.LevelError, "settings are wrong; no event is taken until they are mended", slog.Any("mistakes", platform.Mistakes(err)))
	}
	return nil, err
}

// wire reads the settings and makes the core of them. Nothing is reached over the network.
func (c *core) wire(ctx context.Context) (*system, error) {
	lookup := environment(ctx, c.options.Lookup)
	p := place{lookup: lookup, region: region(ctx, lookup), role: &c.role}
	config, err := load(c.special, p)
	if err != nil {
		return nil, err
	}
	c.level.Set(config.LogLevel)
	parts, err := c.parts(config, p)
	if err != nil {
		return nil, err
	}
	s := &system{config: config, log: c.log}
	if s.System, err = platform.Wire(config, parts); err != nil {
		return nil, err
	}
	if c.special.wire != nil {
		if err := c.special.wire(s); err != nil {
			return nil, err
		}
	}
	for _, name := range platform.Unknown(delivered(ctx)) {
		c.log.LogAttrs(ctx, slog.LevelWarn, "unknown variable: a typing mistake?", slog.String("variable", name))
	}
	c.log.LogAttrs(ctx, slog.LevelInfo, "function started", slog.String("writer", c.options.Writer), slog.Any("config", config))
	return s, nil
}

// parts opens what is special here; what the options have goes before it.
func (c *core) parts(config platform.Config, p place) (parts platform.Parts, err error) {
	parts = platform.Parts{
		Bucket: c.options.Bucket, Delayer: c.options.Delayer, Transport: c.options.Transport, Writer: c.options.Writer,
		Now: time.Now, Rand: rand.Reader, Log: c.log,
	}
	if parts.Bucket == nil {
		if parts.Bucket, err = openers().Open(config.Archive, p); err != nil {
			return parts, err
		}
	}
	switch {
	case c.special.needs&platform.NeedPullFunction == 0:
		parts.Delayer = none{}
	case parts.Delayer == nil:
		parts.Delayer, err = openDelayer(config, p)
	}
	return parts, err
}
