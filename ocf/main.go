package ocf

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hawser-ha/hawser/param"
)

// pollEvery is how often Main asks Monitor while it verifies a start or a stop.
const pollEvery = 20 * time.Millisecond

// Main runs the action that env asks for and returns the exit code. It never calls os.Exit, so that
// tests run it in process.
func (a *Agent) Main(ctx context.Context, env Env) int {
	began := time.Now()
	if len(env.Args) < 2 {
		a.usage(env.Stderr)
		return int(ErrArgs)
	}
	action := env.Args[1]
	switch action {
	case "meta-data":
		if err := a.writeMetaData(env.Stdout); err != nil {
			fmt.Fprintf(env.Stderr, "cannot write the meta-data: %v\n", err)
			return int(ErrGeneric)
		}
		return int(Success)
	case "usage", "help", "--help", "-h":
		a.usage(env.Stdout)
		return int(Success)
	}

	run, ok := a.actions()[action]
	if !ok {
		a.usage(env.Stderr)
		return int(ErrUnimplemented)
	}
	call, err := newCall(a, action, env)
	if err != nil {
		return call.exit(err)
	}
	if err := a.bind(call); err != nil {
		return call.exit(err)
	}
	var h hooks
	switch {
	case action == "stop":
		h = hooks{blocked: a.Blocked, insists: true}
	case (action == "monitor" || action == "status") && a.Busy != nil:
		h.busy = a.busy
	}
	return call.exit(within(ctx, call, began, h, run))
}

// actions lists the actions that change or check the resource.
func (a *Agent) actions() map[string]func(context.Context, *Call) error {
	all := map[string]func(context.Context, *Call) error{
		"start":        a.start,
		"stop":         a.stop,
		"monitor":      a.monitor,
		"status":       a.monitor, // its name in OCF 1.0 callers and init scripts
		"validate-all": func(ctx context.Context, _ *Call) error { return a.validate(ctx) },
	}
	if a.Reload != nil {
		// OCF 1.0 callers ask for changed parameters with reload, those of 1.1 with reload-agent.
		reload := func(ctx context.Context, _ *Call) error { return a.Reload(ctx) }
		all["reload"], all["reload-agent"] = reload, reload
	}
	return all
}

// ErrOverrun is the answer for a handler that keeps running after its context has ended. It still
// holds the lock of the instance, until the process ends.
var ErrOverrun = errors.New("the agent was still busy when its time was over")

// within runs the action under the lock of its instance and ends it before Pacemaker's timeout
// would: its context a reserve earlier, and the wait for a handler that ignores its context at half
// of the reserve.
func within(ctx context.Context, call *Call, began time.Time, h hooks,
	run func(context.Context, *Call) error) error {
	reserve := min(max(call.Timeout/10, 100*time.Millisecond), 2*time.Second, call.Timeout/2)
	ctx, cancel := context.WithDeadline(context.WithValue(ctx, callKey{}, call),
		began.Add(call.Timeout-reserve))
	defer cancel()

	done := make(chan error, 1)
	go func() {
		done <- recovered(func() error {
			if call.Action == "validate-all" {
				return run(ctx, call)
			}
			leave, err := call.enter(ctx, h)
			if errors.Is(err, errTaken) && h.busy != nil && ctx.Err() == nil {
				return h.busy(ctx, call)
			}
			if err != nil {
				return err
			}
			defer leave()
			return run(ctx, call)
		})
	}()

	late := time.NewTimer(time.Until(began.Add(call.Timeout - reserve/2)))
	defer late.Stop()
	var err error
	select {
	case err = <-done:
	case <-late.C:
		err = Errorf(ErrGeneric, "%w: %w", ErrOverrun, context.DeadlineExceeded)
	}
	var verdict *verdict
	if err != nil && ctx.Err() != nil && !errors.As(err, &verdict) {
		return Errorf(CodeOf(err), "%s not finished after %s (its timeout less a reserve): %w",
			call.Action, param.FormatDuration(call.Timeout-reserve), err)
	}
	return err
}

// verdict is a monitor's answer other than Running; it is passed as an error so that there is only
// one way out.
type verdict struct {
	code Code
	err  error // the reason, nil for a plain Stopped
}

func (v *verdict) Error() string {
	if v.err == nil {
		return "not running"
	}
	return v.err.Error()
}

func (v *verdict) Unwrap() error { return v.err }

func (a *Agent) validate(ctx context.Context) error {
	if a.Validate == nil {
		return nil
	}
	return a.Validate(ctx)
}

func (a *Agent) monitor(ctx context.Context, call *Call) error {
	state, err := a.Monitor(ctx, Check{Level: call.Level, Probe: call.probe(), Action: "monitor"})
	if state == Running && err == nil && !call.probe() && call.hindered != nil {
		state, err = Degraded, call.hindered
	}
	return answer(state, err)
}

// busy is the monitor while somebody else has the lock of the instance.
func (a *Agent) busy(ctx context.Context, call *Call) error {
	return answer(a.Busy(ctx, Check{Level: call.Level, Probe: call.probe(), Action: "monitor"}))
}

// answer returns what a monitor found as an error.
func answer(state State, err error) error {
	switch {
	case state == Degraded:
		if err == nil {
			err = errors.New("degraded")
		}
		return &verdict{DegradedCode, err}
	case err != nil:
		return err
	case state == Running:
		return nil
	case state == Stopped:
		return &verdict{NotRunning, nil}
	}
	return fmt.Errorf("monitor answered %v, which is no state", state)
}

func (a *Agent) start(ctx context.Context, call *Call) error {
	if err := a.validate(ctx); err != nil {
		return err
	}
	if err := a.Start(ctx); err != nil {
		return err
	}
	return a.await(ctx, call, "start", func(s State) bool { return s == Running || s == Degraded })
}

func (a *Agent) stop(ctx context.Context, call *Call) error {
	if err := a.Stop(ctx); err != nil {
		return err
	}
	return a.await(ctx, call, "stop", func(s State) bool { return s == Stopped })
}

// await polls Monitor until it confirms that the action is complete: Pacemaker takes the success of
// a start or a stop as a statement about the resource, not about the attempt.
func (a *Agent) await(ctx context.Context, call *Call, action string,
	agrees func(State) bool) error {
	for {
		state, err := a.Monitor(ctx, Check{Action: action})
		if agrees(state) && (err == nil || state == Degraded) {
			if err != nil {
				call.Warnf("%s: degraded: %v", action, err)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			if err == nil {
				err = fmt.Errorf("after the %s it is still %v", action, state)
			}
			return err
		case <-time.After(pollEvery):
		}
	}
}
