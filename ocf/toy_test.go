package ocf_test

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/ocf/ocftest"
	"github.com/hawser-ha/hawser/param"
)

// toy is the least agent that keeps state: it runs while a file exists. Its parameters make it
// misbehave.
type toy struct {
	state, need, token string
	level              int
	every              time.Duration
	addr               netip.Addr
	words              []string
	fault              string
}

func newToy() *ocf.Agent {
	t := &toy{}
	return &ocf.Agent{
		Name: "toy", Version: "1", Short: "Runs while a file exists",
		Long: "It is for tests <only> & nothing else.",
		Params: []ocf.Param{
			{Name: "state", Aliases: []string{"file"}, Short: "State file", Long: "The file.",
				Required: true, Unique: true, Value: param.Path(&t.state, "")},
			{Name: "need", Short: "Needed file", Long: "Must exist.",
				Value: param.Path(&t.need, "/etc/hostname")},
			{Name: "token", Short: "Token", Long: "Secret.", Reloadable: true,
				Value: param.Secret(&t.token)},
			{Name: "level", Short: "Level", Long: "A number.", Value: param.Int(&t.level, 3, 1, 9)},
			{Name: "every", Short: "Every", Long: "A time.", Reloadable: true,
				Value: param.Duration(&t.every, 1500*time.Millisecond)},
			{Name: "addr", Short: "Address", Long: "An address.", Value: param.Addr(&t.addr)},
			{Name: "words", Short: "Words", Long: "Some words.",
				Value: param.Words(&t.words, "a 'b c'")},
			{Name: "fault", Short: "Fault", Long: "What to do wrong.",
				Value: param.String(&t.fault, "")},
		},
		Ops: []ocf.Op{
			{Name: "start", Timeout: 20 * time.Second}, {Name: "stop", Timeout: 20 * time.Second},
			{Name: "monitor", Timeout: 20 * time.Second, Interval: 10 * time.Second},
			{Name: "monitor", Timeout: 20 * time.Second, Interval: time.Minute, Depth: 10},
			{Name: "reload-agent", Timeout: 20 * time.Second},
		},
		Validate: t.validate, Start: t.start, Stop: t.stop, Monitor: t.monitor,
		Reload: func(context.Context) error { return nil },
		Busy: func(context.Context, ocf.Check) (ocf.State, error) {
			return ocf.Degraded, errors.New("somebody plays with it")
		},
	}
}

func (t *toy) validate(context.Context) error {
	if _, err := os.Stat(t.need); err != nil {
		return ocf.Errorf(ocf.ErrInstalled, "cannot find what is needed: %w", err)
	}
	return nil
}

// path is where the toy runs; a stop may come without parameters.
func (t *toy) path(ctx context.Context) string {
	if t.state == "" {
		return filepath.Join(ocf.CallFrom(ctx).Dir, "running")
	}
	return t.state
}

func (t *toy) start(ctx context.Context) error {
	call := ocf.CallFrom(ctx)
	call.Infof("starting with %s", t.token)
	switch t.fault {
	case "ignores its context":
		select {}
	case "panics":
		panic("no such toy")
	case "never up":
		return nil
	case "says the token":
		return ocf.Errorf(ocf.ErrPerm, "the token %s\nwas refused", t.token)
	}
	return os.WriteFile(t.path(ctx), nil, 0o600)
}

func (t *toy) stop(ctx context.Context) error {
	if err := os.Remove(t.path(ctx)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (t *toy) monitor(ctx context.Context, check ocf.Check) (ocf.State, error) {
	switch t.fault {
	case "degraded":
		return ocf.Degraded, errors.New("one leg is off")
	case "foreign words":
		return ocf.Stopped, errors.New("\"café\" <b>\tis\x1b[31m off\n& so on")
	case "unknown":
		return ocf.Stopped, errors.New("cannot tell")
	case "level 10":
		if check.Level >= 10 {
			return ocf.Running, ocf.Errorf(ocf.ErrGeneric, "the deep check failed")
		}
	}
	_, err := os.Stat(t.path(ctx))
	if errors.Is(err, fs.ErrNotExist) {
		return ocf.Stopped, nil
	}
	return ocf.Running, err
}

func TestToyConforms(t *testing.T) {
	inDir := func(*testing.T) map[string]string {
		// The state file is where a stop without parameters finds it too.
		return map[string]string{"level": "4"}
	}
	agent := func() *ocf.Agent {
		a := newToy()
		a.Params[0].Required = false
		return a
	}
	ocftest.Conformance(t, ocftest.Subject{
		New: agent, Params: inDir,
		Wrong:   map[string]string{"level": "12", "every": "soon", "addr": "203.0.113.300"},
		Missing: map[string]string{"need": "/nonexistent"},
		Stuck: func(*testing.T) map[string]string {
			return map[string]string{"fault": "never up"}
		},
	})
}
